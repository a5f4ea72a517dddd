/* openapi.S: the OpenAPI document, as it is served. */
	.section .rodata
	.globl api_openapi_text, api_openapi_end
api_openapi_text:
	.incbin "guests/console/api/openapi.json"
api_openapi_end:

	.section .note.GNU-stack, "", @progbits
