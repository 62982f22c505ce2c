"use strict";
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    head.querySelector("button").addEventListener("click", () => {
      const before = head.getAttribute("aria-sort");
      const down = before ? before === "ascending" : head.classList.contains("num");
      const key = row => {
        const cell = row.cells[column], value = cell.dataset.value;
        return value === undefined ? cell.textContent : value === "" ? null : Number(value);
      };
      const body = table.tBodies[0];
      const order = (a, b) => (typeof a === "number" ? a - b : String(a).localeCompare(b)) * (down ? -1 : 1);
      const rows = [...body.rows].map(row => [key(row), row]);
      rows.sort(([a], [b]) => (a === null) - (b === null) || (a === null ? 0 : order(a, b)));
      body.append(...rows.map(([, row]) => row));
      heads.forEach(other => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
    });
  });
}
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach(each => { each.open = true; }));
