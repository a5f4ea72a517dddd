/*
 * lock_vmx.c: a UEFI application for a test: firmware that has locked VT-x off. It sets the lock bit of
 * IA32_FEATURE_CONTROL with VMX disabled (SDM vol. 3, 23.7) and then starts the loader, which stands beside it.
 */
#include <efi.h>
#include <efilib.h>

#define IA32_FEATURE_CONTROL 0x3au
#define LOCK		     1u

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table)
{
	EFI_LOADED_IMAGE *loaded;
	EFI_DEVICE_PATH *path;
	EFI_HANDLE loader;

	InitializeLib(image, table);
	__asm__ volatile("wrmsr" : : "c"(IA32_FEATURE_CONTROL), "a"(LOCK), "d"(0));
	Print(L"VT-x is locked off now\r\n");
	if (EFI_ERROR(uefi_call_wrapper(BS->HandleProtocol, 3, image, &gEfiLoadedImageProtocolGuid, (void **)&loaded)))
		return EFI_NOT_FOUND;
	path = FileDevicePath(loaded->DeviceHandle, L"\\EFI\\BOOT\\LOADER.EFI");
	if (EFI_ERROR(uefi_call_wrapper(BS->LoadImage, 6, FALSE, image, path, NULL, 0, &loader)))
		return EFI_LOAD_ERROR;
	return uefi_call_wrapper(BS->StartImage, 3, loader, NULL, NULL);
}
