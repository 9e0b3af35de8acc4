// Reads a digit with onnxrun from Rust: owning types over the C interface, errors as Rust's own, memory shared instead of copied.
//
//   rustc -O -L /where/onnxrun/is/lib main.rs -o digits
//   ./digits digits.onnx
//
// Prints the ten probabilities for a test pattern.
use std::ffi::{c_char, c_int, c_void, CStr, CString};
use std::marker::PhantomData;
use std::{fmt, ptr, slice};

#[repr(C)]
struct Status([u8; 0]);
#[repr(C)]
struct ModelHandle([u8; 0]);
#[repr(C)]
struct SessionHandle([u8; 0]);
#[repr(C)]
struct ValueHandle([u8; 0]);
#[repr(C)]
struct RunHandle([u8; 0]);

const FLOAT32: i32 = 1;

// The table of onnxrun.h as far as it is used here; newer libraries only append to it.
#[repr(C)]
struct Api {
    version: u32,
    size: usize,
    _unused0: [*const c_void; 1],
    status_code: unsafe extern "C" fn(*const Status) -> c_int,
    status_message: unsafe extern "C" fn(*const Status) -> *const c_char,
    status_free: unsafe extern "C" fn(*mut Status),
    _unused1: [*const c_void; 7],
    model_load: unsafe extern "C" fn(*const c_char, *const c_void, *mut *mut ModelHandle) -> *mut Status,
    _unused2: [*const c_void; 1],
    model_free: unsafe extern "C" fn(*mut ModelHandle),
    _unused3: [*const c_void; 8],
    value_wrap_tensor: unsafe extern "C" fn(
        i32, *const i64, usize, *mut c_void, usize, i32, Option<unsafe extern "C" fn(*mut c_void)>, *mut c_void,
        *mut *mut ValueHandle,
    ) -> *mut Status,
    _unused4: [*const c_void; 5],
    value_free: unsafe extern "C" fn(*mut ValueHandle),
    _unused5: [*const c_void; 3],
    value_data: unsafe extern "C" fn(*const ValueHandle, *mut *const c_void, *mut usize) -> *mut Status,
    _unused6: [*const c_void; 10],
    session_create: unsafe extern "C" fn(*const ModelHandle, *const c_void, *mut *mut SessionHandle) -> *mut Status,
    session_free: unsafe extern "C" fn(*mut SessionHandle),
    _unused7: [*const c_void; 6],
    run_create: unsafe extern "C" fn(*const SessionHandle, *mut *mut RunHandle) -> *mut Status,
    run_free: unsafe extern "C" fn(*mut RunHandle),
    run_set_input: unsafe extern "C" fn(*mut RunHandle, *const c_char, *const ValueHandle) -> *mut Status,
    _unused8: [*const c_void; 4],
    run_execute: unsafe extern "C" fn(*mut RunHandle) -> *mut Status,
    _unused9: [*const c_void; 3],
    run_output: unsafe extern "C" fn(*const RunHandle, usize, *mut *mut ValueHandle) -> *mut Status,
}

#[link(name = "onnxrun")]
extern "C" {
    fn onnxrun_get_api(version: u32) -> *const Api;
}

fn api() -> &'static Api {
    // The library has version 1 or is another one.
    unsafe { onnxrun_get_api(1).as_ref() }.expect("the onnxrun library has another interface")
}

#[derive(Debug)]
struct Error {
    code: i32,
    message: String,
}
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} (code {})", self.message, self.code)
    }
}
impl std::error::Error for Error {}

fn check(status: *mut Status) -> Result<(), Error> {
    if status.is_null() {
        return Ok(());
    }
    unsafe {
        let message = CStr::from_ptr((api().status_message)(status)).to_string_lossy().into_owned();
        let error = Error { code: (api().status_code)(status), message };
        (api().status_free)(status);
        Err(error)
    }
}

fn text(name: &str) -> Result<CString, Error> {
    CString::new(name).map_err(|_| Error { code: 1, message: format!("{name:?} has a null character") })
}

// A tensor over somebody's numbers, or one that the library made.
struct Tensor<'a> {
    handle: *mut ValueHandle,
    memory: PhantomData<&'a [f32]>,
}
impl<'a> Tensor<'a> {
    fn wrap(dims: &[i64], numbers: &'a [f32]) -> Result<Self, Error> {
        let mut handle = ptr::null_mut();
        let data = numbers.as_ptr() as *mut c_void;
        // Not writable: the numbers are only read.
        check(unsafe {
            (api().value_wrap_tensor)(
                FLOAT32, dims.as_ptr(), dims.len(), data, numbers.len() * 4, 0, None, ptr::null_mut(), &mut handle,
            )
        })?;
        Ok(Tensor { handle, memory: PhantomData })
    }
    fn numbers(&self) -> Result<&[f32], Error> {
        let (mut data, mut bytes) = (ptr::null(), 0);
        check(unsafe { (api().value_data)(self.handle, &mut data, &mut bytes) })?;
        Ok(unsafe { slice::from_raw_parts(data as *const f32, bytes / 4) })
    }
}
impl Drop for Tensor<'_> {
    fn drop(&mut self) {
        unsafe { (api().value_free)(self.handle) }
    }
}

// A model made ready. The library lets any number of threads use it at once.
struct Session(*mut SessionHandle);
unsafe impl Send for Session {}
unsafe impl Sync for Session {}

struct Run(*mut RunHandle);
impl Drop for Run {
    fn drop(&mut self) {
        unsafe { (api().run_free)(self.0) }
    }
}

impl Session {
    fn open(path: &str) -> Result<Session, Error> {
        let path = text(path)?;
        let (mut model, mut session) = (ptr::null_mut(), ptr::null_mut());
        check(unsafe { (api().model_load)(path.as_ptr(), ptr::null(), &mut model) })?;
        let made = check(unsafe { (api().session_create)(model, ptr::null(), &mut session) });
        unsafe { (api().model_free)(model) };
        made.map(|()| Session(session))
    }

    // The model's first output.
    fn run(&self, inputs: &[(&str, &Tensor)]) -> Result<Tensor<'static>, Error> {
        let mut run = ptr::null_mut();
        check(unsafe { (api().run_create)(self.0, &mut run) })?;
        let run = Run(run);
        for (name, tensor) in inputs {
            let name = text(name)?;
            check(unsafe { (api().run_set_input)(run.0, name.as_ptr(), tensor.handle) })?;
        }
        check(unsafe { (api().run_execute)(run.0) })?;
        let mut handle = ptr::null_mut();
        check(unsafe { (api().run_output)(run.0, 0, &mut handle) })?;
        Ok(Tensor { handle, memory: PhantomData })
    }
}
impl Drop for Session {
    fn drop(&mut self) {
        unsafe { (api().session_free)(self.0) }
    }
}

fn read(path: &str) -> Result<(), Error> {
    let session = Session::open(path)?;
    let pixels: Vec<f32> = (0..64).map(|i| (i * 7 % 16) as f32 / 16.0).collect();
    let image = Tensor::wrap(&[1, 1, 8, 8], &pixels)?;
    // As many threads as like: each has its own run.
    let results: Vec<Vec<f32>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let (session, pixels) = (&session, &pixels);
                scope.spawn(move || {
                    let image = Tensor::wrap(&[1, 1, 8, 8], pixels)?;
                    Ok(session.run(&[("image", &image)])?.numbers()?.to_vec())
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("a thread panicked")).collect::<Result<_, Error>>()
    })?;
    let result = session.run(&[("image", &image)])?;
    assert!(results.iter().all(|other| other == result.numbers().unwrap()));
    for probability in result.numbers()? {
        println!("{probability}");
    }
    Ok(())
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.len() != 2 {
        eprintln!("usage: digits digits.onnx");
        std::process::exit(2);
    }
    // Only onnxrun_api's beginning is looked at here.
    assert!(api().version == 1 && api().size >= std::mem::size_of::<Api>());
    if let Err(error) = read(&arguments[1]) {
        eprintln!("{error}");
        std::process::exit(1);
    }
}
