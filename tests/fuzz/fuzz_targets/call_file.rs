#![no_main]
//! The parser of call files, beside the C oracle.

use std::ffi::{CStr, c_char};

unsafe extern "C" {
    fn spool_oracle(file: *mut c_char, len: usize) -> *mut c_char;
    fn free(told: *mut c_char);
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    properties::call_file::check(data);
    let mut copy = data.to_vec();
    // SAFETY: the oracle reads `len` bytes and gives a string of its own, which is freed once.
    let told = unsafe {
        let told = spool_oracle(copy.as_mut_ptr().cast(), copy.len());
        let bytes = CStr::from_ptr(told).to_bytes().to_vec();
        free(told);
        bytes
    };
    let ours = properties::call_file::as_the_oracle_tells_it(data);
    assert_eq!(
        told.escape_ascii().to_string(),
        ours.escape_ascii().to_string(),
        "Asterisk's rules (left), ours (right)"
    );
});
