// What the theme's buttons did in attributes of their own, which the pages' policy forbids.
const deeds = {
  print: () => window.print(),
  fullscreen: () => window.toggleFullScreen(),
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-course-do]");
  if (button) deeds[button.dataset.courseDo]();
});

// What scrolls in a box of its own must be within reach of the keyboard; what doesn't, need not.
const boxes = ".bd-article p:has(> img), .bd-article .cell_output, .bd-article div.math";

function reachBoxes() {
  for (const box of document.querySelectorAll(boxes)) {
    if (box.scrollWidth > box.clientWidth && !box.querySelector("a, button, input, [tabindex]"))
      box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}

window.addEventListener("load", reachBoxes);
window.addEventListener("resize", reachBoxes);
