"use strict";
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0]; // the second one has the rows that stay last
  heads.forEach((head, column) => {
    const key = (row) => Number(row.cells[column].dataset.key);
    const button = document.createElement("button");
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((each) => each.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const sign = down ? -1 : 1; // rows with the same key keep their order
      const rows = [...body.rows].sort((one, other) => sign * (key(one) - key(other)));
      body.append(...rows);
    });
  });
}
