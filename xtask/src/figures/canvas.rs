//! What figures share: a canvas with one font, the colours, heat maps and colour bars.

use anyhow::{Context, Result, anyhow};
use ndarray::ArrayView2;
use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::register_font;

/// A part of a picture that can be drawn on.
pub(crate) type Area<'a> = DrawingArea<BitMapBackend<'a>, Shift>;

/// The coordinates of a chart.
type Plane = Cartesian2d<RangedCoordf64, RangedCoordf64>;

/// The one font, compiled in so that every machine draws the same pixels.
pub(crate) const FONT: &str = "DejaVu Sans";
/// Text and axes.
pub(crate) const INK: RGBColor = RGBColor(32, 32, 32);
/// Lines of a grid behind a plot.
pub(crate) const FAINT: RGBColor = RGBColor(225, 225, 225);

/// Sizes of text, pixels.
pub(crate) const TITLE_PX: u32 = 26;
pub(crate) const LABEL_PX: u32 = 20;

/// A finished picture: red, green, blue, row by row.
pub(crate) struct Picture {
    width: u32,
    height: u32,
    pixels: Vec<u8>,
}

impl Picture {
    /// Draws on white.
    pub(crate) fn draw(
        (width, height): (u32, u32),
        draw: impl FnOnce(&Area<'_>) -> Result<()>,
    ) -> Result<Self> {
        for (style, bytes) in
            [(FontStyle::Normal, dejavu::sans::regular()), (FontStyle::Bold, dejavu::sans::bold())]
        {
            register_font(FONT, style, bytes).map_err(|_| anyhow!("the font can not be read"))?;
        }
        let mut pixels = vec![0; width as usize * height as usize * 3];
        {
            let area = BitMapBackend::with_buffer(&mut pixels, (width, height)).into_drawing_area();
            area.fill(&WHITE)?;
            draw(&area)?;
            area.present()?;
        }
        Ok(Self { width, height, pixels })
    }

    /// The bytes of a PNG file.
    pub(crate) fn png(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.width, self.height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::High);
        let mut writer = encoder.write_header().context("PNG header")?;
        writer.write_image_data(&self.pixels).context("PNG data")?;
        writer.finish().context("PNG end")?;
        Ok(bytes)
    }
}

/// Viridis (S. van der Walt and N. Smith, 2015), from 0 to 1.
pub(crate) fn viridis(fraction: f64) -> RGBColor {
    let [red, green, blue] = colorous::VIRIDIS.eval_continuous(fraction.clamp(0.0, 1.0)).as_array();
    RGBColor(red, green, blue)
}

/// Four colours of viridis that can be told apart on white, also in grey.
pub(crate) fn line_colour(index: usize) -> RGBColor {
    viridis([0.0, 0.28, 0.5, 0.7, 0.86][index % 5])
}

/// A style of text in the middle of its place.
pub(crate) fn text(size: u32) -> TextStyle<'static> {
    TextStyle::from((FONT, size).into_font()).color(&INK)
}

/// A number with so many decimals; what rounds to 0 has no sign.
pub(crate) fn decimal(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(digits) if digits.chars().all(|digit| matches!(digit, '0' | '.')) => digits.to_owned(),
        _ => text,
    }
}

/// Draws the legend of a chart's lines.
pub(crate) fn legend<'a>(
    chart: &mut ChartContext<'a, BitMapBackend<'a>, Plane>,
    position: SeriesLabelPosition,
) -> Result<()> {
    chart
        .configure_series_labels()
        .position(position)
        .background_style(WHITE)
        .border_style(FAINT)
        .legend_area_size(36)
        .margin(14)
        .label_font((FONT, LABEL_PX).into_font().color(&INK))
        .draw()?;
    Ok(())
}

/// Draws the cells of a field as squares of `zoom` pixels, the lower end of the range dark.
pub(crate) fn heat_map(
    area: &Area<'_>,
    (left, top): (i32, i32),
    zoom: i32,
    field: ArrayView2<'_, f64>,
    (low, high): (f64, f64),
) -> Result<()> {
    for ((row, col), &value) in field.indexed_iter() {
        let (x, y) = (left + col as i32 * zoom, top + row as i32 * zoom);
        let colour = viridis((value - low) / (high - low)).filled();
        area.draw(&Rectangle::new([(x, y), (x + zoom, y + zoom)], colour))?;
    }
    Ok(())
}

/// A colour bar to the right of a picture, with numbers at its ends and in its middle and a unit above.
pub(crate) fn colour_bar(
    area: &Area<'_>,
    (left, top): (i32, i32),
    height: i32,
    (low, high): (f64, f64),
    unit: &str,
) -> Result<()> {
    const WIDTH: i32 = 20;
    for line in 0..height {
        let colour = viridis(1.0 - f64::from(line) / f64::from(height));
        let (y, x) = (top + line, left);
        area.draw(&Rectangle::new([(x, y), (x + WIDTH, y + 1)], colour.filled()))?;
    }
    area.draw(&Rectangle::new([(left, top), (left + WIDTH, top + height)], INK.stroke_width(1)))?;
    let decimals = usize::from(high - low < 10.0) * 2;
    for step in 0..=4 {
        let fraction = f64::from(step) / 4.0;
        let y = top + height - (fraction * f64::from(height)) as i32;
        let label = decimal(low + fraction * (high - low), decimals);
        area.draw(&PathElement::new(vec![(left + WIDTH, y), (left + WIDTH + 5, y)], INK))?;
        area.draw(&Text::new(label, (left + WIDTH + 9, y - LABEL_PX as i32 / 2), text(LABEL_PX - 3)))?;
    }
    area.draw(&Text::new(unit.to_owned(), (left, top - LABEL_PX as i32 - 6), text(LABEL_PX - 3)))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::decimal;

    /// Guards the labels of axes and bars: rounding leaves no zero with a sign, and takes no sign from a number.
    #[test]
    fn a_rounded_zero_has_no_sign() {
        for (value, text) in
            [(-0.001, "0.00"), (-0.0, "0.00"), (0.0, "0.00"), (-0.01, "-0.01"), (-10.0, "-10.00")]
        {
            assert_eq!(decimal(value, 2), text);
        }
        assert_eq!(decimal(-0.4, 0), "0");
    }
}
