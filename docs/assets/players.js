// A player says how high it is, and its frame takes that height.
addEventListener("message", ({ data, source }) => {
  for (const frame of document.querySelectorAll("iframe.player"))
    if (frame.contentWindow === source && data?.tinygraphHeight) frame.style.height = `${data.tinygraphHeight + 2}px`
})
