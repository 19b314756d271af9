// On the published page: sets the stored pictures moving. A classic script, since from a file a
// browser loads no modules; there, and where one can't be loaded, the picture stays and says why.
"use strict";

(() => {
  const places = document.querySelectorAll(".book-live");
  // a place brings the texts of a language other than English: parts.js
  const brought = JSON.parse(places[0]?.dataset.state ?? "{}").words ?? {};
  const words = (text) => brought[text] ?? text;
  // a quiz needs no explanation: its answers are folded below its questions
  const explain = (place, why) => {
    if (place.dataset.live !== "quiz") place.querySelector(".still").textContent = why;
  };
  if (location.protocol === "file:") {
    const why = words(
      "This picture stands still, because a browser loads no program of this kind from a file. " +
        "It moves where a web server brings the page (in the book's folder: python -m http.server), " +
        "and in JupyterLab.",
    );
    places.forEach((place) => explain(place, why));
    return;
  }
  for (const place of places) {
    import("./page.js")
      .then(({ start }) => start(place))
      .catch((error) => {
        const why = words(
          "This picture stands still: a part of the page could not be loaded. Load it again.",
        );
        explain(place, why);
        console.warn(`${place.dataset.live}: ${error.message}`);
      });
  }
})();
