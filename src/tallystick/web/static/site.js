// What makes the pages quicker to use. Nothing needs it: without it all links and forms work, and all is shown.
//
// Words stand in the pages, in the reader's language; none is here.

const root = document.documentElement;
const keys = document.getElementById("keys");
const field = document.getElementById("q");

// ---------------------------------------------------------------------------------------------------------- theme

function chooseTheme(theme) {
  document.cookie = `theme=${theme}; path=/; max-age=${theme === "system" ? 0 : 31536000}; samesite=lax`;
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

// ------------------------------------------------------------------------------------------------------- keyboard

const places = [...document.querySelectorAll("[data-go]")];
const ON = "tallystick-keys";
const switchOfKeys = document.getElementById("keys-on");
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
for (const opener of document.querySelectorAll("[data-opens='keys']")) {
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
