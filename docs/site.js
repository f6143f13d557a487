// Each cell learns which column it is of: on a phone, where a row is a card, site.css shows it.
for (const table of document.querySelectorAll("table.docutils")) {
  const columns = [...(table.tHead?.rows[0].cells ?? [])].map((cell) => cell.textContent.trim());
  for (const row of table.tBodies[0].rows) {
    for (const cell of row.cells) {
      if (columns[cell.cellIndex]) cell.dataset.column = columns[cell.cellIndex];
    }
  }
}
