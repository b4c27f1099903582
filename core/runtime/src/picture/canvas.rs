//! Pixels: rectangles, frames and text, and their PNG.

use font8x8::legacy::BASIC_LEGACY;

/// Red, green, blue.
pub type Colour = [u8; 3];

/// Width and height of a character before it is enlarged.
pub(super) const GLYPH_PX: usize = 8;

/// A rectangle of pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rect {
    pub(super) x: usize,
    pub(super) y: usize,
    pub(super) width: usize,
    pub(super) height: usize,
}

pub(super) struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Canvas {
    pub(super) fn new(width: usize, height: usize, colour: Colour) -> Self {
        let pixels = colour.iter().copied().cycle().take(width * height * 3).collect();
        Self { width, height, pixels }
    }

    /// Fills a rectangle; what lies outside the canvas is not drawn.
    pub(super) fn fill(&mut self, rect: Rect, colour: Colour) {
        let right = (rect.x + rect.width).min(self.width);
        for y in rect.y..(rect.y + rect.height).min(self.height) {
            let (start, end) = ((y * self.width + rect.x) * 3, (y * self.width + right) * 3);
            if let Some(line) = self.pixels.get_mut(start..end) {
                line.chunks_exact_mut(3).for_each(|pixel| pixel.copy_from_slice(&colour));
            }
        }
    }

    /// A line of one pixel around a rectangle.
    pub(super) fn frame(&mut self, inner: Rect, colour: Colour) {
        let outer = Rect {
            x: inner.x.saturating_sub(1),
            y: inner.y.saturating_sub(1),
            width: inner.width + 2,
            height: inner.height + 2,
        };
        self.fill(outer, colour);
    }

    /// A line of text, its upper left corner at x and y.
    pub(super) fn text(&mut self, x: usize, y: usize, text: &str, colour: Colour, zoom: usize) {
        let advance = GLYPH_PX * zoom;
        let fitting = self.width.saturating_sub(x) / advance;
        for (index, character) in text.chars().take(fitting).enumerate() {
            let code = if character.is_ascii_graphic() || character == ' ' { character } else { '?' };
            let Some(glyph) = BASIC_LEGACY.get(code as usize) else { continue };
            for (line, bits) in glyph.iter().enumerate() {
                for column in (0..GLYPH_PX).filter(|column| bits & (1 << column) != 0) {
                    let dot = Rect {
                        x: x + index * advance + column * zoom,
                        y: y + line * zoom,
                        width: zoom,
                        height: zoom,
                    };
                    self.fill(dot, colour);
                }
            }
        }
    }

    /// The bytes of a PNG file.
    pub(super) fn encode(&self) -> Result<Vec<u8>, png::EncodingError> {
        let mut bytes = Vec::new();
        // A field of at most 8192 pixels a side with its margins fits 32 bits.
        let mut encoder = png::Encoder::new(&mut bytes, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_source_srgb(png::SrgbRenderingIntent::Perceptual);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&self.pixels)?;
        writer.finish()?;
        Ok(bytes)
    }
}
