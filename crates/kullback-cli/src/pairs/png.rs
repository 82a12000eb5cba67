//! An image of pixels as text that an SVG holds: a PNG in a data URL.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};

/// Turns pixels into a URL, line after line. A pixel is three bytes: red, green and blue.
pub(super) fn data_url(pixels: &[u8], [width, height]: [u32; 2]) -> std::io::Result<String> {
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
    for line in pixels.chunks_exact(width as usize * 3) {
        // 0 says that the bytes of the line are as they are.
        packed.write_all(&[0])?;
        packed.write_all(line)?;
    }
    let mut header = [width.to_be_bytes(), height.to_be_bytes()].concat();
    // Eight bits for each of three colours. The rest has one choice only, or is off.
    header.extend([8, 2, 0, 0, 0]);
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, content) in [(b"IHDR", header), (b"IDAT", packed.finish()?), (b"IEND", Vec::new())] {
        let checked = [kind.as_slice(), &content].concat();
        let mut sum = Crc::new();
        sum.update(&checked);
        png.extend((content.len() as u32).to_be_bytes());
        png.extend(checked);
        png.extend(sum.sum().to_be_bytes());
    }
    Ok(format!("data:image/png;base64,{}", STANDARD.encode(png)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::io::Read;

    use flate2::read::ZlibDecoder;

    use super::*;

    #[test]
    fn an_image_gives_back_its_pixels() {
        let pixels: Vec<u8> = (0..18).map(|i| i * 14).collect();
        let url = data_url(&pixels, [3, 2]).unwrap();
        let png = STANDARD.decode(url.strip_prefix("data:image/png;base64,").unwrap()).unwrap();
        // The header of every such image, with the check sum that its standard gives for 3 pixels by 2.
        let header = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x03\0\0\0\x02\x08\x02\0\0\0\x12\x16\xf1\x4d";
        let end = b"\0\0\0\0IEND\xae\x42\x60\x82";
        assert!(png.starts_with(header) && png.ends_with(end), "{png:?}");
        let data = &png[header.len()..png.len() - end.len()];
        let length = u32::from_be_bytes(data[..4].try_into().unwrap()) as usize;
        assert_eq!((&data[4..8], data.len()), (b"IDAT".as_slice(), length + 12));
        let mut lines = Vec::new();
        ZlibDecoder::new(&data[8..8 + length]).read_to_end(&mut lines).unwrap();
        assert_eq!(lines, [&[0], &pixels[..9], &[0], &pixels[9..]].concat());
    }
}
