//! SQLite's file layer over the simulated disk: the one file with unsafe code, and nothing but the passing
//! on of pointers.
#![expect(unsafe_code, reason = "SQLite calls its file layer through C function pointers")]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;
use std::sync::Once;

use rusqlite::ffi;

use crate::disk::{self, Fleeting, Make, Synced};

/// What SQLite takes for an open file: its head, and then ours.
#[repr(C)]
struct OpenFile {
    head: ffi::sqlite3_file,
    handle: usize,
}

/// Makes the simulated disk the place of every database that this process opens.
pub fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let vfs = Box::leak(Box::new(vfs()));
        // SAFETY: `vfs` lives as long as the process, and all of its functions obey SQLite's contract.
        let code = unsafe { ffi::sqlite3_vfs_register(vfs, 1) };
        assert_eq!(code, ffi::SQLITE_OK, "SQLite takes the simulated disk");
    });
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

fn vfs() -> ffi::sqlite3_vfs {
    ffi::sqlite3_vfs {
        iVersion: 1,
        szOsFile: size_of::<OpenFile>() as c_int,
        mxPathname: 512,
        pNext: ptr::null_mut(),
        zName: c"simulated".as_ptr(),
        pAppData: ptr::null_mut(),
        xOpen: Some(open),
        xDelete: Some(delete),
        xAccess: Some(access),
        xFullPathname: Some(full_pathname),
        xDlOpen: None,
        xDlError: None,
        xDlSym: None,
        xDlClose: None,
        xRandomness: Some(randomness),
        xSleep: Some(pause),
        xCurrentTime: Some(current_time),
        xGetLastError: None,
        xCurrentTimeInt64: None,
        xSetSystemCall: None,
        xGetSystemCall: None,
        xNextSystemCall: None,
    }
}

fn code(done: Result<(), i32>) -> c_int {
    done.err().unwrap_or(ffi::SQLITE_OK)
}

/// SAFETY of all that follows: SQLite passes the file that `open` filled in, names that end in NUL, and
/// buffers of the length that it says.
unsafe fn handle(file: *mut ffi::sqlite3_file) -> usize {
    unsafe { (*file.cast::<OpenFile>()).handle }
}

unsafe fn text<'a>(name: *const c_char) -> Option<&'a str> {
    if name.is_null() { None } else { unsafe { CStr::from_ptr(name) }.to_str().ok() }
}

unsafe extern "C" fn open(
    _: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    flags_out: *mut c_int,
) -> c_int {
    unsafe {
        (*file).pMethods = ptr::null();
        let name = text(name);
        let creates = flags & ffi::SQLITE_OPEN_CREATE != 0 || name.is_none();
        if name.is_some_and(|name| !creates && !disk::with(|disk| disk.exists(name))) {
            return ffi::SQLITE_CANTOPEN;
        }
        let fleeting = if flags & ffi::SQLITE_OPEN_DELETEONCLOSE != 0 { Fleeting::Yes } else { Fleeting::No };
        (*file.cast::<OpenFile>()).handle = disk::with(|disk| disk.open(name, fleeting));
        (*file).pMethods = &raw const METHODS;
        if !flags_out.is_null() {
            *flags_out = flags;
        }
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn delete(_: *mut ffi::sqlite3_vfs, name: *const c_char, sync_dir: c_int) -> c_int {
    let synced = if sync_dir != 0 { Synced::Yes } else { Synced::No };
    let name = unsafe { text(name) }.unwrap_or_default();
    code(disk::with(|disk| disk.remove(name, synced)))
}

unsafe extern "C" fn access(_: *mut ffi::sqlite3_vfs, name: *const c_char, _: c_int, there: *mut c_int) -> c_int {
    unsafe {
        let name = text(name).unwrap_or_default();
        *there = c_int::from(disk::with(|disk| disk.exists(name)));
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn full_pathname(
    _: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    room: c_int,
    full: *mut c_char,
) -> c_int {
    unsafe {
        let bytes = CStr::from_ptr(name).to_bytes_with_nul();
        if bytes.len() > room as usize {
            return ffi::SQLITE_CANTOPEN;
        }
        ptr::copy_nonoverlapping(bytes.as_ptr().cast(), full, bytes.len());
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn randomness(_: *mut ffi::sqlite3_vfs, n: c_int, bytes: *mut c_char) -> c_int {
    let bytes = unsafe { std::slice::from_raw_parts_mut(bytes.cast::<u8>(), n as usize) };
    disk::with(|disk| disk.random(bytes));
    n
}

unsafe extern "C" fn pause(_: *mut ffi::sqlite3_vfs, microseconds: c_int) -> c_int {
    microseconds
}

unsafe extern "C" fn current_time(_: *mut ffi::sqlite3_vfs, now: *mut f64) -> c_int {
    // No statement of ours asks SQLite for the time.
    unsafe { *now = 2_461_000.5 };
    ffi::SQLITE_OK
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    let handle = unsafe { handle(file) };
    disk::with(|disk| disk.close(handle));
    ffi::SQLITE_OK
}

unsafe extern "C" fn read(file: *mut ffi::sqlite3_file, to: *mut c_void, n: c_int, at: i64) -> c_int {
    let (handle, bytes) = unsafe { (handle(file), std::slice::from_raw_parts_mut(to.cast::<u8>(), n as usize)) };
    code(disk::with(|disk| disk.read(handle, at as usize, bytes)))
}

unsafe extern "C" fn write(file: *mut ffi::sqlite3_file, from: *const c_void, n: c_int, at: i64) -> c_int {
    let (handle, bytes) = unsafe { (handle(file), std::slice::from_raw_parts(from.cast::<u8>(), n as usize)) };
    code(disk::with(|disk| disk.write(handle, at as usize, bytes)))
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, to: i64) -> c_int {
    let handle = unsafe { handle(file) };
    code(disk::with(|disk| disk.truncate(handle, to as usize)))
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _: c_int) -> c_int {
    let handle = unsafe { handle(file) };
    code(disk::with(|disk| disk.sync(handle)))
}

unsafe extern "C" fn file_size(file: *mut ffi::sqlite3_file, size: *mut i64) -> c_int {
    unsafe {
        let handle = handle(file);
        *size = disk::with(|disk| disk.size(handle)) as i64;
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    let handle = unsafe { handle(file) };
    code(disk::with(|disk| disk.lock(handle, level)))
}

unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    let handle = unsafe { handle(file) };
    disk::with(|disk| disk.unlock(handle, level));
    ffi::SQLITE_OK
}

unsafe extern "C" fn check_reserved_lock(file: *mut ffi::sqlite3_file, held: *mut c_int) -> c_int {
    unsafe {
        let handle = handle(file);
        *held = c_int::from(disk::with(|disk| disk.is_reserved(handle)));
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn file_control(_: *mut ffi::sqlite3_file, _: c_int, _: *mut c_void) -> c_int {
    ffi::SQLITE_NOTFOUND
}

unsafe extern "C" fn sector_size(_: *mut ffi::sqlite3_file) -> c_int {
    4096
}

/// As Linux has it: a write does not harm the bytes beside it.
unsafe extern "C" fn device_characteristics(_: *mut ffi::sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

unsafe extern "C" fn shm_map(
    file: *mut ffi::sqlite3_file,
    at: c_int,
    bytes: c_int,
    extend: c_int,
    address: *mut *mut c_void,
) -> c_int {
    unsafe {
        let handle = handle(file);
        let make = if extend != 0 { Make::Yes } else { Make::No };
        match disk::with(|disk| disk.region(handle, at as usize, bytes as usize, make)) {
            Ok(region) => {
                *address = region.cast();
                ffi::SQLITE_OK
            }
            Err(code) => {
                *address = ptr::null_mut();
                code
            }
        }
    }
}

unsafe extern "C" fn shm_lock(file: *mut ffi::sqlite3_file, offset: c_int, n: c_int, flags: c_int) -> c_int {
    let handle = unsafe { handle(file) };
    let mask = (((1_u32 << n) - 1) << offset) as u8;
    code(disk::with(|disk| disk.index_lock(handle, mask, flags)))
}

unsafe extern "C" fn shm_barrier(_: *mut ffi::sqlite3_file) {}

unsafe extern "C" fn shm_unmap(file: *mut ffi::sqlite3_file, _: c_int) -> c_int {
    let handle = unsafe { handle(file) };
    disk::with(|disk| disk.unmap(handle));
    ffi::SQLITE_OK
}
