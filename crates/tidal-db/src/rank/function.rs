//! The functions that an expression may call.
//!
//! [`Function`] says what each gives; its formula, its value and its bounds are in
//! [`formulas`].

use std::ops::RangeInclusive;

use super::formulas::{self, Formula};
use super::interval::Interval;
use super::random::Draw;

/// A function that an expression may call, by [its name](Self::name).
///
/// Ages and other times are in seconds. Arguments after a `=` may be left out, and are
/// that number then.
///
/// Every function has a value for all numbers, and it is a number: never NaN, never
/// beyond 1e300 in magnitude, and the same to the bit on every machine. What each gives
/// where its formula has no value is said with it. Besides, an age or a distance that is
/// negative is 0, and half-lives, scales and other divisors count at least 1e-9.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Function {
    /// `ln(x)`: the natural logarithm. Below 1e-300, 0 and negative numbers included, it is
    /// that of 1e-300, so that nothing ranks below nearly nothing.
    Ln,
    /// `log2(x)`: the logarithm to the base 2, as [`Ln`](Self::Ln).
    Log2,
    /// `log10(x)`: the logarithm to the base 10, as [`Ln`](Self::Ln).
    Log10,
    /// `log1p(x)`: the natural logarithm of 1 + x, also of small x. From -1 down it is that
    /// of the smallest number above -1, about -36.7.
    Log1p,
    /// `exp(x)`: e to the power of x, at most 1e300.
    Exp,
    /// `sqrt(x)`: the square root, and 0 of negative numbers.
    Sqrt,
    /// `pow(base, exponent)`. A negative base counts as 0; 0 to the power of 0 is 1, and to
    /// that of negative numbers 1e300.
    Pow,
    /// `abs(x)`: the magnitude.
    Abs,
    /// `sign(x)`: -1, 0 or 1.
    Sign,
    /// `floor(x)`: the largest whole number that is not above x.
    Floor,
    /// `min(x, ...)`: the smallest of one to eight numbers.
    Min,
    /// `max(x, ...)`: the largest of one to eight numbers.
    Max,
    /// `clamp(x, lowest, highest)`: x, but not below `lowest`, and above all not above
    /// `highest`.
    Clamp,
    /// `if_above(x, threshold, then, otherwise)`: `then` where x is above the threshold, and
    /// else the other.
    IfAbove,
    /// `decay(age, half_life)`: `2^(-age / half_life)`, from 1 down to 0.
    Decay,
    /// `freshness(age, age_max)`: `max(0, 1 - age / age_max)`, as the feature of that name in
    /// Vespa.
    Freshness,
    /// `gauss(distance, scale, offset = 0, at_scale = 0.5)`: a bell curve, as the `gauss`
    /// decay of Elasticsearch, `at_scale^(((distance - offset) / scale)^2)`: 1 up to the
    /// offset and `at_scale` one scale behind it. `at_scale` is from 1e-9 to 1. For a
    /// distance to both sides take `abs`.
    Gauss,
    /// `ratio(a, b, prior = 1)`: `(a + prior) / (b + prior)`, such as a fast rate over a
    /// slow one for what is rising. A negative b is 0.
    Ratio,
    /// `reddit_hot(ups, downs, posted)`: `sign(s) * log10(max(|s|, 1)) + (posted -
    /// 1134028003) / 45000` with `s = ups - downs`, to seven decimals; `posted` is in
    /// seconds since 1970. Reddit, `_sorts.pyx`.
    RedditHot,
    /// `reddit_controversy(ups, downs)`: `(ups + downs)^(smaller / larger)` of the two, and 0
    /// unless both are positive. Reddit, `_sorts.pyx`.
    RedditControversy,
    /// `reddit_rising(ups, seen)`: `ups / max(seen, 1)`, and 0 up to one vote. `seen` is the
    /// number of recent visits. Reddit.
    RedditRising,
    /// `hacker_news(points, age, gravity = 1.8)`: `(points - 1)^0.8 / (hours + 2)^gravity`,
    /// and without the power 0.8 where `points - 1` is negative. Hacker News, `news.arc`;
    /// its penalties are factors.
    HackerNews,
    /// `lemmy(score, age)`: `log10(max(2, score + 2)) / (hours + 2)^1.8` for ages above 0 and
    /// below seven days, else 0: also at 0, so that a post with a date in the future gains
    /// nothing. Lemmy, `utils.sql`.
    Lemmy,
    /// `lemmy_scaled(score, age, interactions)`: [`Lemmy`](Self::Lemmy) over `log10(2 +
    /// interactions)`, those of a month with the community, at least 0. Lemmy, `utils.sql`.
    LemmyScaled,
    /// `discourse(likes, age, recent_likes, recent_posters, since_first_bump)`: `likes /
    /// (hours + 2)^1.2 + (recent_likes + recent_posters - 1) / (bump_hours + 2)^1.2`.
    /// Discourse, `TopicHotScore`.
    Discourse,
    /// `mastodon(observed, expected)`: `(observed - expected)^2 / expected`, with at least 1
    /// expected, and 0 below 5 observed or where no more are observed than expected, both
    /// in unique accounts. It falls by [`decay`](Self::Decay) from its peak. Mastodon,
    /// `Trends`.
    Mastodon,
    /// `z_score(x, mean, deviation)`: `(x - mean) / deviation`, by how many standard
    /// deviations x is above the mean.
    ZScore,
    /// `poisson_score(observed, expected, epsilon = 1)`: `(observed - expected) /
    /// sqrt(expected + epsilon)`, the same for counts, whose variance is their mean. Both
    /// are at least 0.
    PoissonScore,
    /// `wilson(positive, total, z = 1.281551565545)`: the lower bound of the share of
    /// positive votes, from 0 to 1, with p = positive / total and n = total: `(p + z^2/2n -
    /// z * sqrt((p * (1 - p) + z^2/4n) / n)) / (1 + z^2/n)`. `positive` is between 0 and
    /// `total`, z at least 0, and without votes it is 0. E. B. Wilson, 1927; the z is
    /// that of 80 % confidence, as Reddit has it.
    Wilson,
    /// `hidden_gem(positive, total, reach, known, z = 1.281551565545)`: good, and seen by few:
    /// [`wilson(positive, total, z)`](Self::Wilson) times `known / (known + reach)`, so
    /// that what reached as many as `known` counts half. A negative reach is 0.
    HiddenGem,
    /// `bayesian_mean(sum, count, prior_mean, prior_count)`: `(prior_count * prior_mean +
    /// sum) / (prior_count + count)`, the mean as if there had been so many votes with the
    /// prior mean before. A negative count is 0.
    BayesianMean,
    /// `smoothed_rate(clicks, impressions, prior_rate, weight = 10)`: `(weight + clicks) /
    /// (weight / prior_rate + impressions)`, the click-through rate as if there had been so
    /// many clicks at the prior rate before (Metarank's normalisation of rates). Counts are
    /// at least 0, the prior rate is at most 1e6.
    SmoothedRate,
    /// `thompson(successes, trials, alpha = 1, beta = 1)`: a draw from the beta distribution
    /// with `alpha + successes` and `beta + trials - successes`, from 0 to 1 (W. R. Thompson,
    /// 1933). It follows from the seed of the query, the entity and which call in the
    /// expression it is. Trials are at least 0, successes between 0 and these, and both
    /// parameters of the distribution from 1e-3 to 1e15.
    Thompson,
    /// `ucb(successes, trials, all_trials, c = 1.4142135623730951)`: `successes / trials + c *
    /// sqrt(ln(all_trials) / trials)`, the upper confidence bound UCB1 (Auer, Cesa-Bianchi
    /// and Fischer, 2002). The mean is from 0 to 1, c is at least 0, and `all_trials`
    /// counts at least 1.
    Ucb,
}

impl Function {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Ln,
        Self::Log2,
        Self::Log10,
        Self::Log1p,
        Self::Exp,
        Self::Sqrt,
        Self::Pow,
        Self::Abs,
        Self::Sign,
        Self::Floor,
        Self::Min,
        Self::Max,
        Self::Clamp,
        Self::IfAbove,
        Self::Decay,
        Self::Freshness,
        Self::Gauss,
        Self::Ratio,
        Self::RedditHot,
        Self::RedditControversy,
        Self::RedditRising,
        Self::HackerNews,
        Self::Lemmy,
        Self::LemmyScaled,
        Self::Discourse,
        Self::Mastodon,
        Self::ZScore,
        Self::PoissonScore,
        Self::Wilson,
        Self::HiddenGem,
        Self::BayesianMean,
        Self::SmoothedRate,
        Self::Thompson,
        Self::Ucb,
    ];

    /// The name in the text of an expression: `[a-z0-9_]+`.
    pub fn name(self) -> &'static str {
        self.formula().name
    }

    /// The function of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|function| function.name() == name)
    }

    /// How many arguments it takes, at least and at most.
    pub fn arity(self) -> RangeInclusive<usize> {
        self.formula().arity()
    }

    /// How it is called, for messages: `ratio(a, b, prior = 1)`.
    pub fn signature(self) -> String {
        let formula = self.formula();
        let required = formula.parameters.len() - formula.defaults.len();
        let defaults = formula.defaults.iter().map(Some);
        let defaults = std::iter::repeat_n(None, required).chain(defaults);
        let mut parameters: Vec<_> = (formula.parameters.iter().zip(defaults))
            .map(|(parameter, default)| match default {
                None => (*parameter).to_owned(),
                Some(default) => format!("{parameter} = {default}"),
            })
            .collect();
        if *formula.arity().end() > parameters.len() {
            parameters.push("...".to_owned());
        }
        format!("{}({})", formula.name, parameters.join(", "))
    }

    /// Whether its value is drawn at random, and so needs the number of the call.
    pub(crate) fn draws(self) -> bool {
        self.formula().is_drawn()
    }

    /// The value, a number as [`finite`](super::number::finite) makes it. Of arguments that
    /// are missing those that have no default are 0, and those beyond
    /// [`arity`](Self::arity) are not looked at; both are errors where an expression is
    /// made.
    pub(crate) fn evaluate(self, arguments: &[f64], draw: &Draw) -> f64 {
        self.formula().value(arguments, draw)
    }

    /// An interval that holds [`evaluate`](Self::evaluate) for all arguments in the box,
    /// rounding included. It is that value alone where all of them are points, unless it
    /// is drawn.
    pub(crate) fn bounds(self, arguments: &[Interval]) -> Interval {
        self.formula().bounds(arguments)
    }

    fn formula(self) -> &'static Formula {
        match self {
            Self::Ln => &formulas::LN,
            Self::Log2 => &formulas::LOG2,
            Self::Log10 => &formulas::LOG10,
            Self::Log1p => &formulas::LOG1P,
            Self::Exp => &formulas::EXP,
            Self::Sqrt => &formulas::SQRT,
            Self::Pow => &formulas::POW,
            Self::Abs => &formulas::ABS,
            Self::Sign => &formulas::SIGN,
            Self::Floor => &formulas::FLOOR,
            Self::Min => &formulas::MIN,
            Self::Max => &formulas::MAX,
            Self::Clamp => &formulas::CLAMP,
            Self::IfAbove => &formulas::IF_ABOVE,
            Self::Decay => &formulas::DECAY,
            Self::Freshness => &formulas::FRESHNESS,
            Self::Gauss => &formulas::GAUSS,
            Self::Ratio => &formulas::RATIO,
            Self::RedditHot => &formulas::REDDIT_HOT,
            Self::RedditControversy => &formulas::REDDIT_CONTROVERSY,
            Self::RedditRising => &formulas::REDDIT_RISING,
            Self::HackerNews => &formulas::HACKER_NEWS,
            Self::Lemmy => &formulas::LEMMY,
            Self::LemmyScaled => &formulas::LEMMY_SCALED,
            Self::Discourse => &formulas::DISCOURSE,
            Self::Mastodon => &formulas::MASTODON,
            Self::ZScore => &formulas::Z_SCORE,
            Self::PoissonScore => &formulas::POISSON_SCORE,
            Self::Wilson => &formulas::WILSON,
            Self::HiddenGem => &formulas::HIDDEN_GEM,
            Self::BayesianMean => &formulas::BAYESIAN_MEAN,
            Self::SmoothedRate => &formulas::SMOOTHED_RATE,
            Self::Thompson => &formulas::THOMPSON,
            Self::Ucb => &formulas::UCB,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_functions_and_all_are_listed() {
        for (index, function) in Function::ALL.iter().enumerate() {
            assert_eq!(*function as usize, index, "{function:?}");
            let name = function.name();
            let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            assert!(!name.is_empty() && name.chars().all(known), "{name}");
            assert_eq!(Function::from_name(name), Some(*function));
        }
        assert_eq!(Function::ALL.last(), Some(&Function::Ucb));
        assert_eq!(Function::from_name("hotness"), None);
    }

    #[test]
    fn signatures_say_how_a_function_is_called() {
        let cases = [
            (Function::Ln, "ln(x)", 1..=1),
            (Function::Max, "max(x, ...)", 1..=8),
            (Function::Ratio, "ratio(a, b, prior = 1)", 2..=3),
            (Function::Wilson, "wilson(positive, total, z = 1.281551565545)", 2..=3),
            (Function::Thompson, "thompson(successes, trials, alpha = 1, beta = 1)", 2..=4),
        ];
        for (function, signature, arity) in cases {
            assert_eq!(function.signature(), signature);
            assert_eq!(function.arity(), arity, "{signature}");
        }
    }

    #[test]
    fn only_thompson_draws() {
        let drawn: Vec<_> = Function::ALL.iter().filter(|function| function.draws()).collect();
        assert_eq!(drawn, [&Function::Thompson]);
    }
}
