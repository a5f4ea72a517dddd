// create.js: a new partition: the keys of bulkhead.conf in a form.
import { getText, post } from "./api.js";
import { button, el, setAttribute, setText } from "./dom.js";
import { announce, refresh } from "./live.js";
import { printable } from "./words.js";

/* Key, label, what is usual, hint, kind of partition (none: both). */
const FIELDS = [
	["kernel", "Kernel", "", "a Linux kernel, or ELF", "guest"],
	["initrd", "Initial RAM disk", "", "may be empty", "guest"],
	["command-line", "Command line", "console=ttyS0 quiet", "", "guest"],
	["program", "Program", "", "a native program", "native"],
	["arguments", "Arguments", "", "", "native"],
	["memory", "Memory", "128M", "in steps of 2M"],
	["cpus", "CPUs", "shared 1", "shared or dedicated, and a CPU number for each vCPU"],
	["networks", "Networks", "", "names; may be empty"],
];
const IMAGES = new Set(["kernel", "initrd", "program"]);

function field([key, label, usual, hint, kind]) {
	const id = `key-${key}`;
	const input = el("input", { id, name: key, type: "text", value: usual, autocomplete: "off", spellcheck: "false",
				    list: IMAGES.has(key) ? "image-names" : null, "aria-describedby": `${id}-wrong` });
	const wrong = el("span", { class: "wrong", id: `${id}-wrong` });
	const element = el("div", { class: "field", "data-kind": kind ?? "" }, el("label", { for: id }, label, hint ? el("small", null, ` ${hint}`) : null), input, wrong);
	return { key, kind, input, wrong, element };
}

// Lines of "key = value", for keys that have no field of their own.
function moreKeys(text) {
	const keys = {};
	for (const line of text.split("\n")) {
		const at = line.indexOf("=");
		if (at > 0)
			keys[line.slice(0, at).trim()] = line.slice(at + 1).trim();
		else if (line.trim())
			throw new Error(`"${line.trim()}" is no key = value.`);
	}
	return keys;
}

function showWrong(fields, message, key) {
	for (const each of fields) {
		const mine = each.key === key;
		setText(each.wrong, mine ? message : "");
		setAttribute(each.input, "aria-invalid", mine ? "true" : null);
		if (mine)
			each.input.focus();
	}
	return fields.some((each) => each.key === key);
}

function configuration() {
	const text = el("pre", { tabindex: "0", "aria-label": "Configuration" });
	return el("details", { ontoggle: async (event) => {
		if (!event.target.open)
			return;
		try {
			text.textContent = await getText("/configuration");
		} catch (error) {
			text.textContent = error.message;
		}
	} }, el("summary", null, "Configuration as it is now, to keep as bulkhead.conf"), text);
}

// { element, offer(names of images) }
export function createForm() {
	const name = field(["name", "Name", "", ""]), fields = [name, ...FIELDS.map(field)];
	const kind = el("select", { id: "new-kind" }, el("option", { value: "guest" }, "guest: an operating system"), el("option", { value: "native" }, "native: a program of Bulkhead's own kind"));
	const more = el("textarea", { id: "new-more", rows: "2", spellcheck: "false", placeholder: "weight = 200" });
	const start = el("input", { type: "checkbox", id: "new-start", checked: true });
	const names = el("datalist", { id: "image-names" });
	const wrong = el("p", { class: "wrong", role: "alert" });
	const submit = el("button", { class: "primary", type: "submit" }, "Create");

	function values() {
		const keys = {};
		for (const each of fields.slice(1))
			if (!each.element.hidden && each.input.value.trim())
				keys[each.key] = each.input.value.trim();
		Object.assign(keys, moreKeys(more.value));
		if (!start.checked)
			keys.autostart = "no";
		return { name: name.input.value.trim(), kind: kind.value, keys };
	}

	async function create(event) {
		event.preventDefault();
		setText(wrong, "");
		showWrong(fields, "", null);
		submit.setAttribute("aria-disabled", "true");
		try {
			const made = await post("/partitions", values());
			announce(`${printable(made.name)} is created`, "good");
			await refresh();
			location.hash = `#/partition/${encodeURIComponent(made.name)}`;
		} catch (error) {
			if (!showWrong(fields, error.message, error.members?.key))
				setText(wrong, error.message);
		}
		submit.removeAttribute("aria-disabled");
	}

	const chooseKind = () => fields.forEach((each) => { each.element.hidden = Boolean(each.kind) && each.kind !== kind.value; });
	kind.addEventListener("change", chooseKind);
	name.input.required = true;
	chooseKind();
	const form = el("form", { class: "fields wide", onsubmit: create }, name.element,
		el("div", { class: "field" }, el("label", { for: "new-kind" }, "Kind"), kind), fields.slice(1).map((each) => each.element),
		el("div", { class: "field" }, el("label", { for: "new-more" }, "More keys", el("small", null, " key = value, one a line")), more),
		el("label", { class: "check" }, start, " Start it at once"), wrong, names, el("div", { class: "row" }, submit));
	const element = el("section", { class: "panel", "aria-labelledby": "new-title" }, el("h2", { id: "new-title" }, "Create a partition"),
		el("p", { class: "sub" }, "The keys are those of bulkhead.conf."), form, configuration());

	return { element, offer: (list) => names.replaceChildren(...list.map((each) => el("option", { value: each }))) };
}
