// dom.js: elements, made without markup: what comes from the machine is text and never anything else.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, properties, children) {
	for (const [key, value] of Object.entries(properties ?? {})) {
		if (value === undefined || value === null || value === false)
			continue;
		if (key.startsWith("on"))
			element.addEventListener(key.slice(2), value);
		else if (key === "style")
			for (const [name, text] of Object.entries(value))
				element.style.setProperty(name, text);
		else
			element.setAttribute(key, value === true ? "" : value);
	}
	element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
	return element;
}

// el("p", { class: "note", onclick: f }, "text", other): strings become text nodes.
export function el(tag, properties, ...children) {
	return fill(document.createElement(tag), properties, children);
}

export function svg(tag, properties, ...children) {
	return fill(document.createElementNS(SVG, tag), properties, children);
}

// Writes only what is new, so that nothing is drawn or read aloud twice.
export function setText(element, text) {
	if (element.textContent !== text)
		element.textContent = text;
}

export function setAttribute(element, name, value) {
	if (value === null || value === undefined || value === false)
		element.removeAttribute(name);
	else if (element.getAttribute(name) !== String(value))
		element.setAttribute(name, value);
}

// A button that keeps the focus while it can do nothing.
export function button(text, act, properties) {
	const element = el("button", { type: "button", ...properties }, text);
	element.addEventListener("click", () => {
		if (element.getAttribute("aria-disabled") !== "true")
			act(element);
	});
	return element;
}

export function enable(element, can) {
	setAttribute(element, "aria-disabled", can ? null : "true");
}

// Asks in a dialog; resolves to true or false. Escape says no.
export function ask(question, detail, yes) {
	return new Promise((resolve) => {
		const dialog = el("dialog", { class: "ask", "aria-labelledby": "ask-title" },
			el("h2", { id: "ask-title" }, question), el("p", null, detail),
			el("div", { class: "row end" },
				button("Cancel", () => dialog.close(""), { autofocus: true }),
				button(yes, () => dialog.close("yes"), { class: "danger", "data-answer": "yes" })));
		dialog.addEventListener("close", () => {
			dialog.remove();
			resolve(dialog.returnValue === "yes");
		});
		document.body.append(dialog);
		dialog.showModal();
	});
}

// A table with a row for each of `rows`: an array of texts or elements.
export function table(caption, heads, rows) {
	return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
		el("table", null, el("caption", { class: "hidden" }, caption),
			el("thead", null, el("tr", null, heads.map((head) => el("th", { scope: "col" }, head)))),
			el("tbody", null, rows.map((row) => el("tr", null, row.map((cell, index) =>
				el(index ? "td" : "th", { scope: index ? null : "row" }, cell)))))));
}
