// What makes the pages quicker to use. Nothing needs it: without it all links and forms work, and all is shown.
//
// Words stand in the pages, in the reader's language; none is here.

const root = document.documentElement;
const keys = document.getElementById("keyboard");
const field = document.getElementById("q");

// ---------------------------------------------------------------------------------------------------------- theme

function chooseTheme(theme) {
  document.cookie = `theme=${theme}; path=/; max-age=${theme === "system" ? 0 : 31536000}; samesite=strict`;
  root.dataset.theme = theme;
  for (const choice of document.querySelectorAll("[data-theme-choice]")) {
    if (choice.dataset.themeChoice === theme) choice.setAttribute("aria-current", "true");
    else choice.removeAttribute("aria-current");
  }
}

document.addEventListener("click", (event) => {
  const choice = event.target.closest?.("[data-theme-choice]");
  if (!choice || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  chooseTheme(choice.dataset.themeChoice);
});

// --------------------------------------------------------------------------------- charts: the row of a day, read out

const SVG = "http://www.w3.org/2000/svg";
const DAY = 86_400_000;

function rowsByDay(table) {
  return [...(table?.tBodies[0]?.rows ?? [])]
    .map((row) => ({ day: Date.parse(row.querySelector("time")?.dateTime.slice(0, 10)), row }))
    .filter(({ day }) => !Number.isNaN(day))
    .sort((one, other) => one.day - other.day);
}

function inWords(row) {
  return [...row.cells].map((cell, n) => (n ? `${cell.dataset.label ?? ""} ` : "") + cell.textContent.trim()).join(" · ");
}

function readOut(figure) {
  const drawing = figure.querySelector("svg[data-since]");
  const rows = drawing ? rowsByDay(figure.querySelector("table")) : [];
  if (!rows.length) return;
  const { since, until, left, right } = drawing.dataset;
  const [first, end] = [Date.parse(since), Date.parse(until) + DAY];
  const height = drawing.viewBox.baseVal.height;
  const cursor = drawing.appendChild(document.createElementNS(SVG, "path"));
  cursor.setAttribute("class", "line cursor");
  const reading = document.createElement("p");
  reading.className = "reading";
  reading.setAttribute("aria-live", "polite");
  drawing.after(reading);
  drawing.tabIndex = 0;
  let at = -1;

  function show(number, day = rows[number]?.day) {
    at = number;
    reading.textContent = number < 0 ? "" : inWords(rows[number].row);
    const x = +left + ((right - left) * (day - first)) / (end - first);
    cursor.setAttribute("d", number < 0 ? "" : `M${Math.min(Math.max(x, left), right).toFixed(1)} 40V${height - 28}`);
  }

  drawing.addEventListener("pointermove", (event) => {
    const x = new DOMPoint(event.clientX, 0).matrixTransform(drawing.getScreenCTM().inverse()).x;
    const day = first + (Math.min(Math.max((x - left) / (right - left), 0), 1) * (end - first));
    show(rows.findLastIndex((one) => one.day <= day), day);
  });
  drawing.addEventListener("pointerleave", () => show(-1));
  drawing.addEventListener("blur", () => show(-1));
  drawing.addEventListener("keydown", (event) => {
    const to = { ArrowLeft: Math.max(at - 1, 0), ArrowRight: at + 1, Home: 0, End: rows.length - 1, Escape: -1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    show(Math.min(to, rows.length - 1));
  });
}

document.querySelectorAll(".chart").forEach(readOut);

// ------------------------------------------------------------------------------------------------------- keyboard

const places = [...document.querySelectorAll("[data-go]")];
const ON = "tallystick-keys";
const switchOfKeys = document.getElementById("keyboard-on");
let waitsForPlace = 0;

function areKeysOn() {
  try {
    return localStorage.getItem(ON) !== "off";
  } catch {
    return true; // no storage, as in a private window: they are on
  }
}

function isTyping(element) {
  return element.isContentEditable || /^(?:INPUT|TEXTAREA|SELECT)$/.test(element.tagName);
}

function showKeys() {
  if (!keys || keys.open) return;
  keys.showModal();
}

function listPlaces() {
  const list = keys?.querySelector("dl");
  if (!list) return;
  for (const place of places) {
    const [term, meaning] = [document.createElement("dt"), document.createElement("dd")];
    for (const letter of ["g", place.dataset.go]) {
      const key = document.createElement("kbd");
      key.textContent = letter;
      term.append(key, " ");
    }
    meaning.textContent = place.textContent.trim();
    list.append(term, meaning);
  }
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || document.querySelector("dialog[open]")) return;
  if (event.key === "Escape" && event.target === field) field.blur();
  if (!areKeysOn() || isTyping(event.target)) return;
  const goes = Date.now() < waitsForPlace;
  waitsForPlace = 0;
  const place = goes && places.find((one) => one.dataset.go === event.key);
  if (place) place.click();
  else if (event.key === "g") waitsForPlace = Date.now() + 1500;
  else if (event.key === "/" && field) field.select();
  else if (event.key === "?") showKeys();
  else return;
  event.preventDefault();
});

listPlaces();
for (const opener of document.querySelectorAll("[data-opens='keyboard']")) {
  opener.hidden = false;
  opener.addEventListener("click", showKeys);
}
if (switchOfKeys) {
  switchOfKeys.checked = areKeysOn();
  switchOfKeys.addEventListener("change", () => {
    try {
      localStorage.setItem(ON, switchOfKeys.checked ? "on" : "off");
    } catch {
      // no storage: they stay on
    }
  });
}
