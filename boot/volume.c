#include <efi.h>
#include "config.h"
#include "firmware.h"
#include "volume.h"

/* Firmware copies a piece of any size; several pieces keep a slow disk's timeouts far away. */
#define PIECE (4ull << 20)

static EFI_FILE_HANDLE root;

const char *volume_init(void)
{
	EFI_GUID loaded_image = LOADED_IMAGE_PROTOCOL;
	EFI_GUID file_system = SIMPLE_FILE_SYSTEM_PROTOCOL;
	EFI_BOOT_SERVICES *services = firmware->BootServices;
	EFI_LOADED_IMAGE *image;
	EFI_FILE_IO_INTERFACE *volume;

	if (EFI_ERROR(services->HandleProtocol(firmware_image, &loaded_image, (void **)&image)))
		return "the firmware does not say what it started the loader from";
	if (EFI_ERROR(services->HandleProtocol(image->DeviceHandle, &file_system, (void **)&volume)) ||
	    EFI_ERROR(volume->OpenVolume(volume, &root)))
		return "the volume that the loader was started from cannot be read";
	return NULL;
}

static void widen(const char *path, CHAR16 *wide)
{
	*wide++ = '\\';
	for (; *path; path++)
		*wide++ = *path == '/' ? '\\' : (CHAR16)*path;
	*wide = 0;
}

/* Size of an open file, and whether it is one. */
static const char *inspect(struct volume_file *file)
{
	union {
		EFI_FILE_INFO info;
		uint8_t bytes[sizeof(EFI_FILE_INFO) + 2 * 256];
	} answer;
	EFI_FILE_HANDLE handle = file->handle;
	EFI_GUID info = EFI_FILE_INFO_ID;
	UINTN bytes = sizeof(answer);

	if (EFI_ERROR(handle->GetInfo(handle, &info, &bytes, &answer)))
		return "its size cannot be read";
	if (answer.info.Attribute & EFI_FILE_DIRECTORY)
		return "this is a folder: name a file";
	file->bytes = answer.info.FileSize;
	return NULL;
}

const char *volume_open(const char *path, struct volume_file *file)
{
	CHAR16 wide[CONFIG_PATH_BYTES + 16];
	EFI_FILE_HANDLE handle;
	EFI_STATUS status;
	const char *wrong;

	file->handle = NULL;
	file->bytes = 0;
	widen(path, wide);
	status = root->Open(root, &handle, wide, EFI_FILE_MODE_READ, 0);
	if (status == EFI_NOT_FOUND)
		return "there is no such file on the boot volume";
	if (EFI_ERROR(status))
		return "the firmware cannot open it";
	file->handle = handle;
	wrong = inspect(file);
	if (wrong)
		volume_close(file);
	return wrong;
}

const char *volume_read(struct volume_file *file, void *buffer, uint64_t bytes)
{
	EFI_FILE_HANDLE handle = file->handle;
	uint64_t done = 0;

	while (done < bytes) {
		UINTN piece = bytes - done < PIECE ? bytes - done : PIECE;

		if (EFI_ERROR(handle->Read(handle, &piece, (uint8_t *)buffer + done)))
			return "the firmware cannot read it: is the disk damaged?";
		if (!piece)
			return "it is shorter than its folder says: is the file system damaged?";
		done += piece;
	}
	return NULL;
}

void volume_close(struct volume_file *file)
{
	EFI_FILE_HANDLE handle = file->handle;

	if (handle)
		handle->Close(handle);
	file->handle = NULL;
}
