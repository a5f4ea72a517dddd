# page.mk: the page's files, compressed, as sources of the console. Included by console.mk and tests.mk.

ifndef PAGE
PAGE := guests/console/page
PAGE_OUT := $(B)/guests/page
PAGE_FILES := $(wildcard $(addprefix $(PAGE)/,*.html *.css *.svg *.js))
PAGE_SOURCES := $(PAGE)/page.c $(PAGE_OUT)/files.c $(PAGE_OUT)/files.S

$(PAGE_OUT)/files.c: $(PAGE)/pack.py $(PAGE)/page.mk $(PAGE_FILES)
	@mkdir -p $(@D)
	$(PYTHON) $(PAGE)/pack.py --xterm $(B)/src/xterm --out $(@D) $(PAGE_FILES)

# Made together with the table.
$(PAGE_OUT)/files.S: $(PAGE_OUT)/files.c
	@touch $@
endif
