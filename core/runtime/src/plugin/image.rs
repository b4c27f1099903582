//! A look at a library's bytes before the system loads it.
//!
//! The system's loader maps what the file promises: a file that was cut short kills the process with
//! SIGBUS, and load-time code of a wrong library runs before anybody can say no. So everything that
//! can be known from the bytes is checked here, without running any of them.

use object::{
    Endianness,
    elf::{self, FileHeader32, FileHeader64},
    read::elf::{FileHeader, ProgramHeader, SectionHeader, Sym},
};

use super::{RefusalReason, refusal::Fault};

const HOST_CLASS: u8 = if cfg!(target_pointer_width = "64") { elf::ELFCLASS64 } else { elf::ELFCLASS32 };
const HOST_DATA: u8 = if cfg!(target_endian = "little") { elf::ELFDATA2LSB } else { elf::ELFDATA2MSB };
const HOST_MACHINE: u16 = if cfg!(target_arch = "x86_64") {
    elf::EM_X86_64
} else if cfg!(target_arch = "aarch64") {
    elf::EM_AARCH64
} else if cfg!(any(target_arch = "riscv64", target_arch = "riscv32")) {
    elf::EM_RISCV
} else if cfg!(target_arch = "x86") {
    elf::EM_386
} else if cfg!(target_arch = "arm") {
    elf::EM_ARM
} else if cfg!(target_arch = "powerpc64") {
    elf::EM_PPC64
} else if cfg!(target_arch = "s390x") {
    elf::EM_S390
} else {
    elf::EM_NONE
};

/// The data symbol that a plugin has to export.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<'a> {
    pub(crate) symbol: &'a str,
    /// What is read behind it at least, in bytes.
    pub(crate) bytes_min: u64,
}

/// Checks that the bytes are a whole shared library for this machine that defines the entry.
pub(crate) fn look(bytes: &[u8], entry: Entry<'_>) -> Result<(), Fault> {
    if !bytes.starts_with(&elf::ELFMAG) {
        let what = if bytes.is_empty() { "it is empty" } else { "it has no ELF header" };
        return Err(Fault::new(RefusalReason::NotASharedLibrary, what));
    }
    let (Some(&class), Some(&data)) = (bytes.get(4), bytes.get(5)) else {
        return Err(truncated("the ELF header"));
    };
    if (class, data) != (HOST_CLASS, HOST_DATA) {
        return Err(Fault::new(
            RefusalReason::WrongArchitecture,
            format!(
                "it is {}, this process is {}",
                class_name(class, data),
                class_name(HOST_CLASS, HOST_DATA)
            ),
        ));
    }
    if class == elf::ELFCLASS64 {
        look_at::<FileHeader64<Endianness>>(bytes, entry)
    } else {
        look_at::<FileHeader32<Endianness>>(bytes, entry)
    }
}

fn look_at<H: FileHeader<Endian = Endianness>>(bytes: &[u8], entry: Entry<'_>) -> Result<(), Fault> {
    let header = H::parse(bytes).map_err(|_| truncated("the ELF header"))?;
    let endian = header.endian().map_err(|_| truncated("the ELF header"))?;
    let machine = header.e_machine(endian);
    if machine != HOST_MACHINE {
        return Err(Fault::new(
            RefusalReason::WrongArchitecture,
            format!("it is for {}, this machine is {}", machine_name(machine), machine_name(HOST_MACHINE)),
        ));
    }
    let kind = header.e_type(endian);
    if kind != elf::ET_DYN {
        let what = match kind {
            elf::ET_REL => "an object file",
            elf::ET_EXEC => "an executable",
            elf::ET_CORE => "a core dump",
            _ => "an ELF file of an unknown type",
        };
        return Err(Fault::new(RefusalReason::NotASharedLibrary, format!("it is {what}")));
    }
    check_extent(header, endian, bytes)?;
    find_entry(header, endian, bytes, entry)
}

/// Checks that everything the headers promise lies inside the file.
fn check_extent<H: FileHeader<Endian = Endianness>>(
    header: &H,
    endian: Endianness,
    bytes: &[u8],
) -> Result<(), Fault> {
    let segments = header.program_headers(endian, bytes).map_err(|_| truncated("the program headers"))?;
    if !segments.iter().any(|segment| segment.p_type(endian) == elf::PT_LOAD) {
        return Err(Fault::new(RefusalReason::NotASharedLibrary, "it has nothing to load"));
    }
    if segments.iter().any(|segment| segment.data(endian, bytes).is_err()) {
        return Err(truncated("a segment"));
    }
    let sections = header.sections(endian, bytes).map_err(|_| truncated("the section headers"))?;
    if sections.iter().any(|section| section.data(endian, bytes).is_err()) {
        return Err(truncated("a section"));
    }
    Ok(())
}

/// Looks for the entry among the symbols that the library shows to others.
fn find_entry<H: FileHeader<Endian = Endianness>>(
    header: &H,
    endian: Endianness,
    bytes: &[u8],
    entry: Entry<'_>,
) -> Result<(), Fault> {
    let symbols = header
        .sections(endian, bytes)
        .and_then(|sections| sections.symbols(endian, bytes, elf::SHT_DYNSYM))
        .map_err(|_| truncated("the dynamic symbols"))?;
    let found = symbols.iter().find(|symbol| {
        symbol.st_shndx(endian) != elf::SHN_UNDEF
            && symbol.name(endian, symbols.strings()).is_ok_and(|name| name == entry.symbol.as_bytes())
    });
    let Some(symbol) = found else {
        return Err(Fault::new(
            RefusalReason::MissingEntry,
            format!("it exports no symbol {}, so it is no plugin of this interface", entry.symbol),
        ));
    };
    let size: u64 = symbol.st_size(endian).into();
    if symbol.st_type() != elf::STT_OBJECT || size < entry.bytes_min {
        return Err(Fault::new(
            RefusalReason::NotAPlugin,
            format!(
                "its symbol {} is no table of at least {} bytes; a plugin makes it with mfn_plugin::export!",
                entry.symbol, entry.bytes_min
            ),
        ));
    }
    Ok(())
}

fn truncated(what: &str) -> Fault {
    Fault::new(
        RefusalReason::Truncated,
        format!("{what} reaches beyond the end of the file; copy the library again"),
    )
}

fn class_name(class: u8, data: u8) -> String {
    let bits = match class {
        elf::ELFCLASS32 => "32-bit",
        elf::ELFCLASS64 => "64-bit",
        _ => "of an unknown width",
    };
    let order = match data {
        elf::ELFDATA2LSB => "little-endian",
        elf::ELFDATA2MSB => "big-endian",
        _ => "of an unknown byte order",
    };
    format!("{bits} and {order}")
}

fn machine_name(machine: u16) -> String {
    let name = match machine {
        elf::EM_386 => "x86",
        elf::EM_X86_64 => "x86-64",
        elf::EM_ARM => "Arm",
        elf::EM_AARCH64 => "AArch64",
        elf::EM_RISCV => "RISC-V",
        elf::EM_PPC64 => "PowerPC 64",
        elf::EM_S390 => "S/390",
        _ => return format!("ELF machine {machine}"),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: Entry<'static> = Entry { symbol: mfn_plugin::abi::PLUGIN_SYMBOL, bytes_min: 40 };

    /// A real plugin library; `cargo test -p mfn-runtime` builds it beside the tests.
    fn library() -> Vec<u8> {
        let test = std::env::current_exe().unwrap();
        let target = test.parent().and_then(std::path::Path::parent).unwrap();
        std::fs::read(target.join("examples/libfixture_no_layout.so")).unwrap()
    }

    /// Guards the process against SIGBUS: no cut of a real library passes the look.
    #[test]
    fn no_cut_library_passes() {
        let bytes = library();
        assert_eq!(look(&bytes, ENTRY), Ok(()));
        for cut in (0..bytes.len()).step_by(64).chain(bytes.len() - 64..bytes.len()) {
            let fault = look(&bytes[..cut], ENTRY).unwrap_err();
            let expected = if cut < 4 { RefusalReason::NotASharedLibrary } else { RefusalReason::Truncated };
            assert_eq!(fault.reason, expected, "{cut} of {} bytes", bytes.len());
        }
    }

    /// Guards the look itself against damaged headers: whatever stands there, it answers.
    #[test]
    fn damaged_headers_do_not_trip_the_look() {
        let mut bytes = library();
        let len = bytes.len();
        let tail = len - 4096..len;
        for place in (0..2048).chain(tail) {
            let was = bytes[place];
            for value in [0, 0x7f, 0x80, 0xff, was ^ 1] {
                bytes[place] = value;
                let _ = look(&bytes, ENTRY);
            }
            bytes[place] = was;
        }
        assert_eq!(look(&bytes, ENTRY), Ok(()));
    }

    /// Guards the table behind the symbol: one that is too short to be read is refused.
    #[test]
    fn a_short_table_is_no_plugin() {
        let wanting = Entry { bytes_min: 1 << 20, ..ENTRY };
        assert_eq!(look(&library(), wanting).unwrap_err().reason, RefusalReason::NotAPlugin);
        let function = Entry { symbol: "main", bytes_min: 0 };
        assert_eq!(look(&library(), function).unwrap_err().reason, RefusalReason::MissingEntry);
    }
}
