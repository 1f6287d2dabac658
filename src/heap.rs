//! How the C library's heap behaves in this process.
//!
//! Left to itself, glibc raises the size from which it takes memory straight from the system to that of the largest
//! piece ever given back, and keeps everything below for later, in each of eight heaps for each processor. A process that loads for hours and
//! feeds the search index from changing threads then holds twice what it uses. Figures: `docs/performance.md`.

/// Pieces of at least this many bytes come from the system and go back to it; so does what is free at the end of a heap.
#[cfg(target_env = "gnu")]
const LARGE: libc::c_int = 512 << 10;

/// Makes the heap give back what is not used. Call before the first thread is started.
///
/// `many_threads` says that threads of equal rank allocate all the time, as those of a server do: then there is a heap for each
/// processor. A command has a few threads that hand pieces to each other, and one heap, so that what one gives back another takes.
pub fn give_back_what_is_free(many_threads: bool) {
    #[cfg(target_env = "gnu")]
    {
        let cores = std::thread::available_parallelism().map_or(4, usize::from);
        let heaps = if many_threads { libc::c_int::try_from(cores.max(4)).unwrap_or(4) } else { 1 };
        for (what, value) in
            [(libc::M_MMAP_THRESHOLD, LARGE), (libc::M_TRIM_THRESHOLD, LARGE), (libc::M_ARENA_MAX, heaps)]
        {
            // SAFETY: mallopt takes two numbers, touches no memory of ours and says no by its result to what it does not know.
            #[allow(unsafe_code)]
            let _ = unsafe { libc::mallopt(what, value) };
        }
    }
}
