"use strict";
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  const text = (row, column) => row.cells[column].textContent.trim();
  const compare = (one, other, column) => {
    const texts = [text(one, column), text(other, column)];
    const number = heads[column].classList.contains("number");
    return number ? texts[0] - texts[1] : texts[0].localeCompare(texts[1]);
  };
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((each) => each.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = [...body.rows];
      rows.sort((one, other) => compare(one, other, column));
      if (down) rows.reverse();
      body.append(...rows);
    });
  });
}
