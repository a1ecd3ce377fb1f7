//! FLAC files made by hand (RFC 9639): silence, of which a frame of any length has a dozen bytes.

pub struct Flac {
    file: Vec<u8>,
    frames: u8,
}

pub struct Frame {
    pub rate_hz: u16,
    pub samples: u16,
}

impl Flac {
    /// The marker and the only metadata block, STREAMINFO: 8-bit mono of unknown length.
    pub fn new(rate_hz: u32, samples_per_frame: u16) -> Self {
        let mut file = b"fLaC\x80\0\0\x22".to_vec();
        file.extend(samples_per_frame.to_be_bytes());
        file.extend(samples_per_frame.to_be_bytes());
        file.extend([0; 6]); // frame sizes: unknown
        let (bits_less_one, channels_less_one) = (7_u64, 0_u64);
        let packed = u64::from(rate_hz) << 44 | channels_less_one << 41 | bits_less_one << 36;
        file.extend(packed.to_be_bytes());
        file.extend([0; 16]); // no checksum
        Self { file, frames: 0 }
    }

    pub fn push(&mut self, frame: Frame) {
        // Sync code with a fixed block size; the size and the rate in 16 bits each at the header's end; mono, 8 bits.
        let mut bytes = vec![0xFF, 0xF8, 0x7D, 0x02, self.frames];
        self.frames = (self.frames + 1) % 128; // of UTF-8's first byte
        bytes.extend((frame.samples - 1).to_be_bytes());
        bytes.extend(frame.rate_hz.to_be_bytes());
        bytes.push(crc(&bytes, 8, 0x07) as u8);
        bytes.extend([0, 0]); // a constant subframe: silence
        bytes.extend((crc(&bytes, 16, 0x8005) as u16).to_be_bytes());
        self.file.extend(bytes);
    }

    pub fn finish(self) -> Vec<u8> {
        self.file
    }
}

fn crc(bytes: &[u8], bits: u32, polynomial: u32) -> u32 {
    bytes.iter().fold(0, |crc, &byte| {
        (0..8).fold(crc ^ (u32::from(byte) << (bits - 8)), |crc, _| {
            let carries = (crc >> (bits - 1)) & 1;
            ((crc << 1) ^ (carries * polynomial)) & ((1 << bits) - 1)
        })
    })
}
