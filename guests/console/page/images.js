// images.js: kernels and initial RAM disks in the machine's memory: which there are, sending one, removing one.
import { get, post, putBytes, remove } from "./api.js";
import { ask, button, el, enable, setText, table } from "./dom.js";
import { createForm } from "./create.js";
import { announce } from "./live.js";
import { isAdministrator } from "./state.js";
import { bytes, duration, printable } from "./words.js";

const PIECE = 256 * 1024; // seconds over a slow line, and progress that can be seen
const TRIES = 5;
const imagePath = (name) => `/images/${encodeURIComponent(name)}`;

// ---- sending ----

// Its place on the machine: a new one, or the rest of one that was interrupted.
async function begin(name, size) {
	const { images } = await get("/images");
	const known = images.find((image) => image.name === name);
	if (known && !known.complete && known.bytes === size && known.origin === "upload")
		return known.received;
	return (await post("/images", { name, bytes: size })).received;
}

// After a piece of which nobody knows whether it arrived, the machine says where to go on.
async function received(name) {
	const { images } = await get("/images");
	const known = images.find((image) => image.name === name);
	if (!known)
		throw new Error("The image is gone.");
	return known.received;
}

async function send(name, file, signal, tell) {
	let at = await begin(name, file.size), tries = 0;
	tell(at);
	while (at < file.size) {
		try {
			const piece = file.slice(at, at + PIECE);
			at = (await putBytes(`${imagePath(name)}/content?offset=${at}`, piece, signal)).received;
			tries = 0;
		} catch (error) {
			if (error.name === "AbortError" || ![0, 409].includes(error.status) || ++tries > TRIES)
				throw error;
			at = await received(name);
		}
		tell(at);
	}
}

function upload(name, file, done) {
	const stop = new AbortController(), began = Date.now();
	const bar = el("progress", { max: String(file.size), value: "0", "aria-label": `Sending ${printable(name)}` });
	const words = el("span", { class: "sub" }, "Starting\u2026");
	const cancel = button("Cancel", () => stop.abort());
	const line = el("li", { class: "upload", "data-upload": name }, el("b", null, printable(name)), bar, words, cancel);

	send(name, file, stop.signal, (at) => {
		const speed = at / Math.max(1, (Date.now() - began) / 1000);
		bar.value = at;
		setText(words, `${bytes(at)} of ${bytes(file.size)}${at && at < file.size ? `, ${duration((file.size - at) / speed)} left` : ""}`);
	}).then(() => {
		announce(`${printable(name)} has arrived`, "good");
		line.remove();
	}).catch((error) => {
		const text = error.name === "AbortError" ? "Cancelled. Sending the same file again goes on from here." : error.message;
		words.className = "wrong";
		setText(words, text);
		cancel.replaceWith(button("Dismiss", () => line.remove()));
		announce(`${printable(name)}: ${text}`, "bad");
	}).finally(done);
	return line;
}

function uploadForm(done) {
	const file = el("input", { type: "file", id: "image-file", required: true });
	const name = el("input", { type: "text", id: "image-name", required: true, maxlength: "63", autocomplete: "off", spellcheck: "false" });
	const lines = el("ul", { class: "uploads", "aria-label": "Being sent" });
	file.addEventListener("change", () => {
		if (file.files[0])
			name.value = file.files[0].name;
	});
	const form = el("form", { class: "fields", onsubmit: (event) => {
		event.preventDefault();
		lines.append(upload(name.value, file.files[0], done));
		form.reset();
	} }, el("div", { class: "field" }, el("label", { for: "image-file" }, "File"), file),
	el("div", { class: "field" }, el("label", { for: "image-name" }, "Name on the machine"), name),
	el("div", { class: "row" }, el("button", { class: "primary", type: "submit" }, "Send")));
	return el("section", { class: "panel", "aria-labelledby": "send-title" }, el("h2", { id: "send-title" }, "Send an image"),
		el("p", { class: "sub" }, "A kernel, an initial RAM disk, or a native program. It stays in memory until it is removed or the machine restarts."), form, lines);
}

// ---- the list ----

async function removeImage(name, done) {
	if (!await ask(`Remove the image ${printable(name)}?`, "Its memory becomes free.", "Remove"))
		return;
	try {
		await remove(imagePath(name));
		announce(`The image ${printable(name)} is removed`, "good");
	} catch (error) {
		announce(error.message, "bad");
	}
	done();
}

function imageTable(images, done) {
	return table("Images", ["Name", "Size", "State", "From", "Used by", ""], images.map((image) => {
		const removing = button("Remove", () => removeImage(image.name, done), { "aria-label": `remove the image ${printable(image.name)}` });
		enable(removing, image.origin !== "boot" && !image.users.length);
		return [printable(image.name), bytes(image.bytes), image.complete ? "complete" : `${bytes(image.received)} of ${bytes(image.bytes)}`,
			image.origin === "boot" ? "the boot medium" : "sent", image.users.map(printable).join(", ") || "nobody", removing];
	}));
}

export function images(main) {
	const list = el("div"), free = el("p", { class: "sub" });
	main.append(el("h1", { tabindex: "-1" }, "Images and new partitions"));
	if (!isAdministrator()) {
		main.append(el("p", { class: "empty" }, "This is for administrators."));
		return () => {};
	}
	const form = createForm();

	async function read() {
		try {
			const answer = await get("/images");
			setText(free, `${bytes(answer.free)} free`);
			list.replaceChildren(answer.images.length ? imageTable(answer.images, read) : el("p", { class: "sub" }, "There are no images."));
			form.offer(answer.images.filter((image) => image.complete).map((image) => image.name));
		} catch (error) {
			list.replaceChildren(el("p", { class: "wrong", role: "alert" }, error.message));
		}
	}
	main.append(el("section", { class: "panel" }, el("div", { class: "panel-head" }, el("h2", null, "Images"), free), list),
		el("div", { class: "two" }, uploadForm(read), form.element));
	read();
	return () => {};
}
