/* commands.h: the commands; the table in commands.c says what each takes. */
#pragma once
#include "shell.h"

void command_help(const struct arguments *arguments);	 /* command_help.c */
void command_list(const struct arguments *arguments);	 /* command_list.c */
void command_attach(const struct arguments *arguments);	 /* command_attach.c */
void command_start(const struct arguments *arguments);	 /* command_control.c */
void command_stop(const struct arguments *arguments);	 /* command_control.c */
void command_pause(const struct arguments *arguments);	 /* command_control.c */
void command_resume(const struct arguments *arguments);	 /* command_control.c */
void command_restart(const struct arguments *arguments); /* command_control.c */
void command_report(const struct arguments *arguments);	 /* command_attach.c */
void command_stat(const struct arguments *arguments);	 /* command_stat.c */
void command_trace(const struct arguments *arguments);	 /* command_trace.c */
void command_log(const struct arguments *arguments);	 /* command_text.c */
void command_caps(const struct arguments *arguments);	 /* command_text.c */
void command_audit(const struct arguments *arguments);	 /* command_text.c */
void command_pci(const struct arguments *arguments);	 /* command_text.c */
void command_iommu(const struct arguments *arguments);	 /* command_text.c */
void command_net(const struct arguments *arguments);	 /* command_net.c */
void command_token(const struct arguments *arguments);
void command_address(const struct arguments *arguments);  /* command_address.c */
void command_link(const struct arguments *arguments);	  /* command_link.c */
void command_tap(const struct arguments *arguments);	  /* command_tap.c */
void command_image(const struct arguments *arguments);	  /* command_create.c */
void command_create(const struct arguments *arguments);	  /* command_create.c */
void command_remove(const struct arguments *arguments);	  /* command_create.c */
void command_config(const struct arguments *arguments);	  /* command_create.c */
void command_mem(const struct arguments *arguments);	  /* command_mem.c */
void command_debug(const struct arguments *arguments);	  /* command_machine.c */
void command_reboot(const struct arguments *arguments);	  /* command_machine.c */
void command_poweroff(const struct arguments *arguments); /* command_machine.c */
