// tokens.js: who may come in: which tokens there are, making one, revoking one.
import { get, post, remove } from "./api.js";
import { ask, button, el, setText, table } from "./dom.js";
import { announce } from "./live.js";
import { isAdministrator, shown, state } from "./state.js";
import { printable, time } from "./words.js";

const ROLES = {
	viewer: "viewer: sees, and changes nothing",
	operator: "operator: starts, stops and types",
	administrator: "administrator: everything, on all partitions",
};

// ---- one that was just made ----

// Browsers keep the clipboard from some pages: then what is selected is copied, or the keyboard does it.
async function copy(field) {
	field.focus();
	field.select();
	try {
		await navigator.clipboard.writeText(field.value);
	} catch {
		if (!document.execCommand("copy")) {
			announce("It is selected: press Ctrl-C to copy it.");
			return;
		}
	}
	announce("The token is copied.", "good");
}

function showSecret(place, made, back) {
	const field = el("input", { id: "token-secret", type: "text", readonly: true, class: "mono", spellcheck: "false", autocomplete: "off",
				    "aria-describedby": "token-once" });
	field.value = made.token;
	place.replaceChildren(el("section", { class: "panel secret", "aria-labelledby": "secret-title" },
		el("h2", { id: "secret-title" }, `The token of ${printable(made.name)}`),
		el("p", { class: "sub", id: "token-once" }, "It is shown this once: the machine itself keeps only what recognizes it."),
		el("label", { for: "token-secret" }, "Token"), field,
		el("div", { class: "row" }, button("Copy", () => copy(field), { class: "primary" }), button("I have it", () => {
			field.value = "";
			place.replaceChildren();
			back.focus();
		}))));
	field.focus();
	field.select();
}

// ---- making one ----

// For whom: of no use to an administrator, needed by an operator, and a viewer without any sees all.
function partitionBoxes() {
	const boxes = shown().map(({ name }) => el("input", { type: "checkbox", value: name }));
	const hint = el("p", { class: "sub" });
	const element = el("fieldset", null, el("legend", null, "Partitions"), hint, boxes.map((box) => el("label", { class: "check" }, box, ` ${printable(box.value)}`)));
	return { element, chosen: () => boxes.filter((box) => box.checked).map((box) => box.value), update(role) {
		element.hidden = role === "administrator";
		setText(hint, role === "viewer" ? "None chosen: all of them." : "Those that the operator is for.");
	} };
}

function tokenForm(place, done) {
	const name = el("input", { id: "token-name", type: "text", required: true, maxlength: "31", autocomplete: "off", spellcheck: "false", "aria-describedby": "token-wrong" });
	const role = el("select", { id: "token-role" }, Object.entries(ROLES).map(([value, words]) => el("option", { value }, words)));
	const boxes = partitionBoxes(), wrong = el("p", { class: "wrong", id: "token-wrong", role: "alert" });
	const submit = el("button", { class: "primary", type: "submit" }, "Make");

	async function make(event) {
		event.preventDefault();
		if (submit.getAttribute("aria-disabled"))
			return;
		setText(wrong, "");
		submit.setAttribute("aria-disabled", "true");
		try {
			const made = await post("/tokens", { name: name.value.trim(), role: role.value,
				partitions: role.value === "administrator" ? [] : boxes.chosen() });
			form.reset();
			boxes.update(role.value);
			showSecret(place, made, name);
			done();
		} catch (error) {
			setText(wrong, error.message);
			name.focus();
		}
		submit.removeAttribute("aria-disabled");
	}

	role.addEventListener("change", () => boxes.update(role.value));
	boxes.update(role.value);
	const form = el("form", { class: "fields", onsubmit: make },
		el("div", { class: "field" }, el("label", { for: "token-name" }, "Name", el("small", null, " letters, digits, - _ . @")), name),
		el("div", { class: "field" }, el("label", { for: "token-role" }, "Role"), role), boxes.element, wrong, el("div", { class: "row" }, submit));
	return el("section", { class: "panel", "aria-labelledby": "make-title" }, el("h2", { id: "make-title" }, "Make a token"), form);
}

// ---- the list ----

const isOwn = (token) => token.name === state.who?.name;

async function revoke(token, tokens, done) {
	const last = token.role === "administrator" && tokens.filter((each) => each.role === "administrator").length === 1;
	const detail = [isOwn(token) ? "You are logged in with it: this page logs out." : "Who uses it is logged out at once.",
		last ? "No other is an administrator's: only the serial line could make one." : ""].join(" ");
	if (!await ask(`Revoke the token ${printable(token.name)}?`, detail, "Revoke"))
		return;
	try {
		await remove(`/tokens/${encodeURIComponent(token.name)}`);
		announce(`The token ${printable(token.name)} is revoked`, "good");
	} catch (error) {
		announce(error.message, "bad");
	}
	done();
}

function forWhom(token) {
	if (token.partitions.length)
		return token.partitions.map(printable).join(", ");
	return token.role === "operator" ? "none" : "all";
}

function tokenTable(tokens, done) {
	return table("Tokens", ["Name", "Role", "Partitions", "Made (UTC)", ""], tokens.map((token) => [
		`${printable(token.name)}${isOwn(token) ? " (you)" : ""}`, token.role, forWhom(token), time(token.created).slice(0, 10),
		button("Revoke", () => revoke(token, tokens, done), { "aria-label": `revoke the token ${printable(token.name)}` })]));
}

export function tokens(main) {
	const title = el("h1", { tabindex: "-1" }, "Tokens"), list = el("div"), place = el("div", { class: "stack" });
	main.append(title);
	if (!isAdministrator()) {
		main.append(el("p", { class: "empty" }, "This is for administrators."));
		return () => {};
	}

	async function read() {
		const lost = list.contains(document.activeElement);
		try {
			const answer = await get("/tokens");
			list.replaceChildren(tokenTable(answer.tokens, read));
		} catch (error) {
			list.replaceChildren(el("p", { class: "wrong", role: "alert" }, error.message));
		}
		// The button that was pressed is gone.
		if (lost || document.activeElement === document.body)
			title.focus();
	}
	main.append(place, el("section", { class: "panel", "aria-labelledby": "tokens-title" }, el("h2", { id: "tokens-title" }, "Who may come in"), list),
		tokenForm(place, read));
	read();
	return () => place.replaceChildren();
}
