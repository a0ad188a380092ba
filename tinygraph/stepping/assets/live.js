// The page runs in a frame. Messages carry the position and the selected node between the page and the model.
function render({ model, el }) {
  const frame = document.createElement("iframe");
  frame.sandbox = "allow-scripts";
  frame.title = model.get("_title");
  frame.style.cssText = `width:100%;height:${model.get("_height")}px;border:0`;
  frame.srcdoc = model.get("_page");
  let hearing = false; // true while the model takes over the position of the page, which needs no answer
  const send = () => {
    if (!hearing) frame.contentWindow?.postMessage({ tinygraphGoto: model.get("index") }, "*");
  };
  const receive = ({ source, data }) => {
    if (source !== frame.contentWindow || !data) return;
    if (data.tinygraphReady) return send(); // the model may have moved before the page was there
    if (Number.isInteger(data.tinygraphStep)) {
      hearing = true;
      model.set("index", data.tinygraphStep);
      hearing = false;
      model.save_changes();
    }
    if (typeof data.tinygraphNode === "string") {
      model.set("_box", data.tinygraphNode);
      model.save_changes();
    }
  };
  window.addEventListener("message", receive);
  model.on("change:index", send);
  el.append(frame);
  return () => { // the cell is cleared
    window.removeEventListener("message", receive);
    model.off("change:index", send);
  };
}

export default { render };
