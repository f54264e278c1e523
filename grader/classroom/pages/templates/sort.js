"use strict";
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  const text = (row, column) => (row.cells[column]?.textContent ?? "").trim();
  const points = (words) => (words === "–" ? 0 : Number.parseFloat(words));
  const compare = (one, other, column) => {
    const texts = [text(one, column), text(other, column)];
    if (!heads[column].classList.contains("number")) return texts[0].localeCompare(texts[1]);
    return points(texts[0]) - points(texts[1]);
  };
  const isScored = (row) => row.cells.length === heads.length;
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((each) => each.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = [...body.rows].filter(isScored);
      const others = [...body.rows].filter((row) => !isScored(row));
      rows.sort((one, other) => compare(one, other, column));
      if (down) rows.reverse();
      body.append(...rows, ...others); // rows without a score stay last
    });
  });
}
