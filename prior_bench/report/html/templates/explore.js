// Draws the figures that ask the reader for a column and rows. They stay hidden where they cannot be drawn.
const dark = matchMedia("(prefers-color-scheme: dark)").matches;
for (const place of document.querySelectorAll(".explorer")) {
  place.hidden = false;
  const specification = JSON.parse(place.querySelector("script").textContent);
  vegaEmbed(place.querySelector(".drawing"), specification, {
    ast: true, // expressions are interpreted: the page forbids code that is made from text
    renderer: "svg",
    actions: false,
    defaultStyle: false,
    bind: place.querySelector(".choices"),
    tooltip: { theme: dark ? "dark" : "light" },
  }).catch((error) => {
    place.hidden = true;
    console.error(error);
  });
}
