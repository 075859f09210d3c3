//! The chart: a group of bars for each work, a bar for each engine, as high as the
//! logarithm of its rate through tidal-storage.

use std::fs;
use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use tidal_bench_measure::{Result, at, decades, power};

use crate::contest::Outcome;
use crate::report::through;
use crate::work::Work;

const SIZE: (u32, u32) = (1000, 460);
/// In the drawing area, over the durable commits, whose bars are the lowest.
const LEGEND: (i32, i32) = (650, 6);
const BAR: f64 = 0.13;
/// Colours that can be told apart by who sees red and green alike.
const COLOURS: [RGBColor; 6] = [
    RGBColor(0x99, 0x99, 0x99),
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0xd5, 0x5e, 0x00),
];

pub(crate) fn draw(path: &Path, results: &[Outcome]) -> Result<()> {
    let bars: Vec<Bars> = through(results)
        .map(|outcome| Bars {
            name: outcome.engine.name(),
            rates: Work::ALL.map(|work| outcome.rates(work).map(|rates| rates.median())),
        })
        .collect();
    Ok(fs::write(path, svg(&bars)?).map_err(|error| at(path, &error))?)
}

/// The rates of one engine, in the order of [`Work::ALL`].
struct Bars {
    name: &'static str,
    rates: [Option<f64>; Work::ALL.len()],
}

fn svg(engines: &[Bars]) -> Result<String> {
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let groups = Work::ALL.len() as f64;
        let rates = decades(engines.iter().flat_map(|engine| engine.rates).flatten());
        let mut chart = ChartBuilder::on(&area)
            .caption("through tidal-storage, a second (logarithmic)", ("sans-serif", 18))
            .margin(12)
            .y_label_area_size(64)
            .x_label_area_size(44)
            .build_cartesian_2d(0.0..groups, rates.clone().log_scale())?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .disable_x_axis()
            .y_label_formatter(&|rate| power(*rate))
            .label_style(("sans-serif", 13))
            .draw()?;
        let lowest = rates.start;
        for (index, (engine, colour)) in engines.iter().zip(COLOURS).enumerate() {
            let shift = (index as f64 - engines.len() as f64 / 2.0) * BAR;
            let bars = engine.rates.iter().enumerate().filter_map(|(group, rate)| {
                let left = group as f64 + 0.5 + shift;
                Some(Rectangle::new([(left, lowest), (left + BAR, (*rate)?)], colour.filled()))
            });
            chart.draw_series(bars)?.label(engine.name).legend(move |(x, y)| {
                Rectangle::new([(x, y - 5), (x + 12, y + 5)], colour.filled())
            });
        }
        let style =
            ("sans-serif", 13).into_text_style(&area).pos(Pos::new(HPos::Center, VPos::Top));
        for (group, work) in Work::ALL.into_iter().enumerate() {
            let (x, y) = chart.backend_coord(&(group as f64 + 0.5, lowest));
            area.draw(&Text::new(work.name(), (x, y + 8), style.clone()))?;
            area.draw(&Text::new(work.unit(), (x, y + 24), style.clone()))?;
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::Coordinate(LEGEND.0, LEGEND.1))
            .background_style(WHITE.mix(0.9))
            .border_style(BLACK.mix(0.3))
            .label_font(("sans-serif", 13))
            .draw()?;
        area.present()?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chart_names_each_engine_and_each_work() {
        let mut rates = [Some(5e4); Work::ALL.len()];
        rates[0] = None;
        let text = svg(&[Bars { name: "left", rates }, Bars { name: "right", rates }]).unwrap();
        assert!(text.starts_with("<svg") && text.ends_with("</svg>\n"));
        for word in ["left", "right"].into_iter().chain(Work::ALL.map(Work::name)) {
            assert!(text.contains(word), "{word}");
        }
    }
}
