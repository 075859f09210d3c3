//! Films that people rated: a profile with a filter and a limit for each genre.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::io::Read as _;

use flate2::read::GzDecoder;
use tidal_db::{
    AttributeType, AttributeValue, Batch, DecaySpec, EntityId, Event, Expr, Filter, Query,
    SchemaBuilder, TidalDB, Timestamp, Window, attribute, count, score, sum,
};

use super::schemas::{DAY, ITEM};
use crate::fixture::real_data;

/// A film.
struct Film {
    year: i64,
    genres: Vec<String>,
}

/// A rating: of which film, by whom, how many of ten points, when.
type Rating = (EntityId, EntityId, f64, Timestamp);

fn text(file: &str) -> Option<String> {
    let path = real_data(&format!("movietweetings-100k/{file}"))?;
    let mut text = String::new();
    GzDecoder::new(File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    Some(text)
}

fn films() -> Option<BTreeMap<EntityId, Film>> {
    let text = text("movies.dat.gz")?;
    let film = |line: &str| {
        let fields: Vec<&str> = line.split("::").collect();
        let (_, year) = fields[1].rsplit_once('(').unwrap();
        let genres = fields[2].split('|').filter(|genre| !genre.is_empty());
        let film = Film {
            year: year.trim_end_matches(')').parse().unwrap(),
            genres: genres.map(str::to_owned).collect(),
        };
        (EntityId::new(fields[0].parse().unwrap()), film)
    };
    Some(text.lines().map(film).collect())
}

fn ratings() -> Option<Vec<Rating>> {
    let text = text("ratings.dat.gz")?;
    let rating = |line: &str| {
        let fields: Vec<&str> = line.split("::").collect();
        let number = |field: usize| fields[field].parse::<u64>().unwrap();
        (
            EntityId::new(number(1)),
            EntityId::new(number(0)),
            number(2) as f64,
            Timestamp::from_secs(number(3)),
        )
    };
    Some(text.lines().map(rating).collect())
}

fn cinema(films: &BTreeMap<EntityId, Film>, ratings: &[Rating]) -> TidalDB {
    let mut schema = SchemaBuilder::new();
    schema
        .signal("rated", ITEM, DecaySpec::Exponential { half_life: 30 * DAY })
        .windows(&[Window::AllTime])
        .sums(true)
        .history(true)
        .add()
        .attribute("genres", ITEM, AttributeType::Keywords)
        .attribute("year", ITEM, AttributeType::Integer);
    let db = TidalDB::in_memory(schema.build().unwrap()).unwrap();
    for ratings in ratings.chunks(10_000) {
        let events = ratings
            .iter()
            .map(|&(film, user, points, time)| Event::new("rated", film, points, time).by(user));
        db.commit(events.collect::<Batch<'_>>()).unwrap();
    }
    let mut batch = Batch::new();
    for (&id, film) in films {
        let genres =
            (!film.genres.is_empty()).then(|| AttributeValue::Keywords(film.genres.clone()));
        let year = Some(AttributeValue::Integer(film.year));
        batch = batch.put_attributes(ITEM, id, [("genres", genres), ("year", year)]);
    }
    db.commit(batch).unwrap();
    db
}

/// Good films that are talked about: the mean of the ratings, with ten of 7 points more,
/// and how much there is of them lately.
fn profile() -> Expr {
    let all = Window::AllTime;
    let mean = (sum("rated", all) + 70.0) / (count("rated", all) + 10.0);
    mean + 0.01 * score("rated")
}

fn filter() -> Filter {
    attribute("year").at_least(2000_i64).and(!attribute("genres").equals("Horror"))
}

/// The same, by definition.
fn passes(film: &Film) -> bool {
    film.year >= 2000 && !film.genres.iter().any(|genre| genre == "Horror")
}

/// G113, with real attributes: over all pages no genre has more than its share, no film
/// comes twice, and none is passed over that could have come.
#[test]
fn movietweetings_caps_hold_over_all_pages() {
    const MOST: usize = 4;
    let (Some(films), Some(ratings)) = (films(), ratings()) else { return };
    let db = cinema(&films, &ratings);
    let rated: HashSet<EntityId> = ratings.iter().map(|rating| rating.0).collect();
    let at = db.newest_event().unwrap();
    let value = |id| {
        let sum = db.windowed_sum_at("rated", id, Window::AllTime, at).unwrap();
        let count = db.windowed_count_at("rated", id, Window::AllTime, at).unwrap() as f64;
        (sum + 70.0) / (count + 10.0) + 0.01 * db.decay_score_at("rated", id, at).unwrap()
    };
    let mut order: Vec<(f64, EntityId)> = films
        .iter()
        .filter(|(id, film)| rated.contains(id) && passes(film))
        .map(|(&id, _)| (value(id), id))
        .collect();
    order.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut shown: HashMap<&str, usize> = HashMap::new();
    let mut expected = Vec::new();
    for (value, id) in order {
        let genres = &films[&id].genres;
        if genres.iter().all(|genre| shown.get(genre.as_str()).is_none_or(|count| *count < MOST)) {
            genres.iter().for_each(|genre| *shown.entry(genre).or_default() += 1);
            expected.push((id, value.to_bits()));
        }
    }

    let query = Query::items().by(profile()).at(at).filter(filter());
    let query = query.at_most(MOST, "genres").limit(7);
    let mut found = Vec::new();
    let mut page = db.rank(&query).unwrap();
    let passing = films.values().filter(|film| passes(film)).count() as u64;
    assert_eq!(page.statistics.passing, Some(passing));
    loop {
        found.extend(page.entries.iter().map(|entry| (entry.id, entry.value.to_bits())));
        let Some(cursor) = page.cursor else { break };
        page = db.rank(&query.clone().after(cursor)).unwrap();
    }
    assert!(expected.len() > 20, "{expected:?}");
    assert_eq!(found, expected);
}

/// G113: what a user has rated is not shown to them, and is to others.
#[test]
fn movietweetings_shows_nobody_what_they_have_rated() {
    let (Some(films), Some(ratings)) = (films(), ratings()) else { return };
    let db = cinema(&films, &ratings);
    let mut rated: HashMap<EntityId, HashSet<EntityId>> = HashMap::new();
    for &(film, user, _, _) in &ratings {
        rated.entry(user).or_default().insert(film);
    }
    let (&user, seen) = rated.iter().max_by_key(|(user, films)| (films.len(), user.get())).unwrap();
    let all = Query::items().by(profile()).at(db.newest_event().unwrap()).limit(1000);
    let for_all = db.rank(&all).unwrap();
    let for_user = db.rank(&all.clone().for_user(user).unseen_by("rated")).unwrap();
    let unseen: Vec<EntityId> =
        for_all.entries.iter().map(|entry| entry.id).filter(|film| !seen.contains(film)).collect();
    assert!(unseen.len() < 1000, "user {user} has rated some of the best");
    let shown: Vec<EntityId> = for_user.entries.iter().map(|entry| entry.id).collect();
    let differs = shown.iter().zip(&unseen).position(|(shown, unseen)| shown != unseen);
    assert_eq!(differs, None, "the first place with another film");
    assert_eq!(shown.len(), 1000);
}
