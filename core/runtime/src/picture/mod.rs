//! Pictures of fields: a potential as a PNG with a perceptual colour map and a scale in millivolts.
//!
//! The colour map is viridis (S. van der Walt and N. Smith, 2015): equal steps of the value look like
//! equal steps, also in grey and to most colour-blind eyes. The same field and options give the same
//! bytes.

mod canvas;
mod scale;

use std::path::Path;

use ndarray::ArrayView2;

pub use canvas::Colour;
use canvas::{Canvas, Rect};
use scale::Scale;

/// The longest side of a field that is drawn, cells.
pub const SIDE_MAX_CELLS: usize = 8192;

const MARGIN_PX: usize = 16;
const BAR_WIDTH_PX: usize = 24;
const BAR_HEIGHT_MIN_PX: usize = 160;
const TICK_PX: usize = 5;
const TICKS_WANTED: usize = 6;
const TEXT_ZOOM: usize = 2;
const MV_PER_V: f64 = 1000.0;

const WHITE: Colour = [255, 255, 255];
const INK: Colour = [32, 32, 32];
/// Cells that are NaN or infinite: a grey that the colour map does not have.
const NO_VALUE: Colour = [160, 160, 160];

/// How a picture is drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct PictureOptions {
    /// The line above the field; characters that are not ASCII are drawn as `?`. `None` for none.
    pub title: Option<String>,
    /// The potentials at the ends of the colour map, mV; values beyond are drawn like the ends.
    /// `None`: the lowest and highest of the field.
    pub range_mv: Option<(f64, f64)>,
    /// Small fields are enlarged by a whole factor up to this length of their longer side, pixels.
    pub side_px: usize,
}

impl Default for PictureOptions {
    fn default() -> Self {
        Self { title: None, range_mv: None, side_px: 512 }
    }
}

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PictureError {
    /// The field can not be drawn.
    #[error("field is {rows} x {columns}: give 1 to {SIDE_MAX_CELLS} cells on each side")]
    Shape {
        /// Rows of the field.
        rows: usize,
        /// Columns of the field.
        columns: usize,
    },
    /// No cell has a value.
    #[error("field has no finite value: give potentials in volts")]
    NoValue,
    /// The range is none.
    #[error("range_mv = ({low}, {high}): give two finite numbers, the lower first")]
    Range {
        /// Lower end.
        low: f64,
        /// Upper end.
        high: f64,
    },
    /// The picture can not be written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The encoder failed.
    #[error("the picture can not be encoded: {0}")]
    Encode(String),
}

/// Draws a field of potentials in volts and writes it as a PNG file, replacing what is there. The
/// write is not atomic.
///
/// # Errors
/// [`PictureError`]; nothing is written unless it is [`PictureError::Io`].
pub fn write_png(
    path: &Path,
    volts: ArrayView2<'_, f64>,
    options: &PictureOptions,
) -> Result<(), PictureError> {
    let bytes = encode_png(volts, options)?;
    std::fs::write(path, bytes)
        .map_err(|source| PictureError::Io { path: path.display().to_string(), source })
}

/// A cell that is drawn in a colour of its own, over the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Row of the cell.
    pub row: usize,
    /// Column of the cell.
    pub col: usize,
    /// Its colour.
    pub colour: Colour,
}

/// Draws a field of potentials in volts, row 0 on top, as the bytes of a PNG file.
///
/// # Errors
/// [`PictureError`] when the field or the range can not be drawn.
pub fn encode_png(volts: ArrayView2<'_, f64>, options: &PictureOptions) -> Result<Vec<u8>, PictureError> {
    encode_png_marked(volts, &[], options)
}

/// As [`encode_png`], with some cells in colours of their own; of several marks on a cell the last is seen. Marks beside the
/// field are not drawn.
///
/// # Errors
/// As [`encode_png`].
pub fn encode_png_marked(
    volts: ArrayView2<'_, f64>,
    marks: &[Mark],
    options: &PictureOptions,
) -> Result<Vec<u8>, PictureError> {
    let (rows, columns) = volts.dim();
    if rows == 0 || columns == 0 || rows.max(columns) > SIDE_MAX_CELLS {
        return Err(PictureError::Shape { rows, columns });
    }
    let scale = scale_of(volts, options.range_mv)?;
    let ticks = scale.ticks(TICKS_WANTED);
    let zoom = (options.side_px / rows.max(columns)).clamp(1, SIDE_MAX_CELLS / rows.max(columns));
    let title = options.title.as_deref().unwrap_or_default();
    let text_px = canvas::GLYPH_PX * TEXT_ZOOM;

    let top = MARGIN_PX + if title.is_empty() { 0 } else { text_px + MARGIN_PX / 2 };
    let field = Rect { x: MARGIN_PX, y: top, width: columns * zoom, height: rows * zoom };
    let bar = Rect {
        x: field.x + field.width + MARGIN_PX,
        // The unit stands above the bar.
        y: top + text_px + MARGIN_PX / 2,
        width: BAR_WIDTH_PX,
        height: (field.height.max(BAR_HEIGHT_MIN_PX)).saturating_sub(text_px + MARGIN_PX / 2),
    };
    let label_px = ticks.iter().map(|tick| tick.label.len()).max().unwrap_or(0) * text_px;
    let labels_x = bar.x + bar.width + 2 * TICK_PX;
    let title_px = title.chars().count().min(columns_that_fit(labels_x + label_px)) * text_px;
    let width = (labels_x + label_px).max(MARGIN_PX + title_px) + MARGIN_PX;
    let height = (field.y + field.height).max(bar.y + bar.height) + MARGIN_PX;
    let mut canvas = Canvas::new(width, height, WHITE);

    canvas.text(MARGIN_PX, MARGIN_PX, title, INK, TEXT_ZOOM);
    canvas.frame(field, INK);
    let cell = |row: usize, column: usize| Rect {
        x: field.x + column * zoom,
        y: field.y + row * zoom,
        width: zoom,
        height: zoom,
    };
    for ((row, column), &value) in volts.indexed_iter() {
        let colour = if value.is_finite() { scale.colour(value * MV_PER_V) } else { NO_VALUE };
        canvas.fill(cell(row, column), colour);
    }
    for mark in marks.iter().filter(|mark| mark.row < rows && mark.col < columns) {
        canvas.fill(cell(mark.row, mark.col), mark.colour);
    }
    draw_bar(&mut canvas, bar, &scale);
    canvas.text(bar.x, top, "mV", INK, TEXT_ZOOM);
    for tick in &ticks {
        let y = bar.y + ((1.0 - scale.fraction(tick.value_mv)) * (bar.height - 1) as f64).round() as usize;
        canvas.fill(Rect { x: bar.x + bar.width, y, width: TICK_PX, height: 1 }, INK);
        canvas.text(labels_x, y.saturating_sub(text_px / 2), &tick.label, INK, TEXT_ZOOM);
    }
    canvas.encode().map_err(|error| PictureError::Encode(error.to_string()))
}

/// How many characters of a title fit over a picture of so many pixels; longer titles are cut.
fn columns_that_fit(width_px: usize) -> usize {
    width_px.saturating_sub(MARGIN_PX) / (canvas::GLYPH_PX * TEXT_ZOOM)
}

fn scale_of(volts: ArrayView2<'_, f64>, range_mv: Option<(f64, f64)>) -> Result<Scale, PictureError> {
    if let Some((low, high)) = range_mv {
        return Scale::new(low, high).ok_or(PictureError::Range { low, high });
    }
    let finite = volts.iter().map(|value| value * MV_PER_V).filter(|value| value.is_finite());
    let (low, high) = finite
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    if low > high {
        return Err(PictureError::NoValue);
    }
    // A flat field has no range of its own.
    let (low, high) = if low < high { (low, high) } else { (low - 0.5, high + 0.5) };
    Scale::new(low, high).ok_or(PictureError::Range { low, high })
}

fn draw_bar(canvas: &mut Canvas, bar: Rect, scale: &Scale) {
    canvas.frame(bar, INK);
    for line in 0..bar.height {
        let fraction = 1.0 - line as f64 / (bar.height - 1).max(1) as f64;
        let colour = scale.colour_at(fraction);
        canvas.fill(Rect { y: bar.y + line, height: 1, ..bar }, colour);
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;

    /// Decodes a PNG to its size and RGB bytes.
    fn decode(bytes: &[u8]) -> (usize, usize, Vec<u8>) {
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        (info.width as usize, info.height as usize, pixels)
    }

    fn pixel(picture: &(usize, usize, Vec<u8>), x: usize, y: usize) -> [u8; 3] {
        let at = (y * picture.0 + x) * 3;
        [picture.2[at], picture.2[at + 1], picture.2[at + 2]]
    }

    // Guards the orientation and the colours: row 0 is on top, the lowest potential is viridis' dark
    // end, the highest its bright end, and a cell without a value is grey.
    #[test]
    fn cells_have_the_place_and_the_colour_of_their_value() {
        let field = ndarray::arr2(&[[-0.080, f64::NAN], [-0.060, -0.040]]);
        let picture = decode(&encode_png(field.view(), &PictureOptions::default()).unwrap());
        let cell = |row: usize, column: usize| {
            pixel(&picture, MARGIN_PX + 128 + column * 256, MARGIN_PX + 128 + row * 256)
        };
        assert_eq!(cell(0, 0), [68, 1, 84]);
        assert_eq!(cell(1, 1), [253, 231, 37]);
        assert_eq!(cell(0, 1), NO_VALUE);
        assert_eq!(cell(1, 0), [32, 145, 140]);
    }

    // Guards marks: they lie over their cell, the last on top, and one beside the field does no harm.
    #[test]
    fn marks_lie_over_their_cells() {
        let field = ndarray::arr2(&[[-0.080, -0.070], [-0.060, -0.040]]);
        let mark = |row, col, colour| Mark { row, col, colour };
        let marks = [
            mark(0, 1, [1, 2, 3]),
            mark(0, 1, [4, 5, 6]),
            mark(2, 0, [7, 8, 9]),
            mark(0, usize::MAX, [7, 8, 9]),
        ];
        let picture = decode(&encode_png_marked(field.view(), &marks, &PictureOptions::default()).unwrap());
        assert_eq!(pixel(&picture, MARGIN_PX + 384, MARGIN_PX + 128), [4, 5, 6]);
        assert_eq!(pixel(&picture, MARGIN_PX + 128, MARGIN_PX + 128), [68, 1, 84]);
        assert!(!picture.2.chunks(3).any(|pixel| pixel == [7, 8, 9]));
    }

    // Guards reproducibility: pictures are compared by their bytes.
    #[test]
    fn the_same_field_gives_the_same_bytes() {
        let field = Array2::from_shape_fn((64, 64), |(row, column)| -0.07 + 1e-5 * (row * column) as f64);
        let options = PictureOptions { title: Some("grid 64".into()), ..PictureOptions::default() };
        assert_eq!(encode_png(field.view(), &options).unwrap(), encode_png(field.view(), &options).unwrap());
    }

    // Guards every shape and value that a caller may have: a picture or an error, no panic.
    #[test]
    fn odd_fields_give_a_picture_or_an_error() {
        let options = PictureOptions { title: Some("x".repeat(5000)), ..PictureOptions::default() };
        for (rows, columns) in [(1, 1), (1, 3000), (3000, 1), (600, 600)] {
            let field = Array2::from_elem((rows, columns), -0.07);
            let (width, height, _) = decode(&encode_png(field.view(), &options).unwrap());
            assert!(width > columns && height > rows);
        }
        assert!(matches!(
            encode_png(Array2::zeros((0, 4)).view(), &options),
            Err(PictureError::Shape { .. })
        ));
        let nan = Array2::from_elem((4, 4), f64::NAN);
        assert!(matches!(encode_png(nan.view(), &options), Err(PictureError::NoValue)));
        let huge = ndarray::arr2(&[[f64::MAX, -f64::MAX]]);
        assert!(encode_png(huge.view(), &options).is_err());
        for range in [(1.0, 1.0), (f64::NAN, 1.0), (0.0, f64::INFINITY)] {
            let options = PictureOptions { range_mv: Some(range), ..PictureOptions::default() };
            let zero = Array2::zeros((2, 2));
            assert!(matches!(encode_png(zero.view(), &options), Err(PictureError::Range { .. })));
        }
        let tiny = ndarray::arr2(&[[1e-300, 2e-300]]);
        assert!(encode_png(tiny.view(), &options).is_ok());
    }
}
