# The formats of jq that jaq lacks.
def _row(text): if isarray then map(
  if isstring then text elif isnumber then tostring elif isboolean then tostring elif . == null then ""
  else error("cannot be a cell of a row: \(tojson)") end)
  else error("cannot be a row, is no array: \(tojson)") end;
def @csv: _row("\"" + gsub("\""; "\"\"") + "\"") | join(",");
def @tsv: _row(gsub("\\\\"; "\\\\") | gsub("\t"; "\\t") | gsub("\n"; "\\n") | gsub("\r"; "\\r")) | join("\t");
