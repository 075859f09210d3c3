//! The functions that an expression may call.
//!
//! Ages and times are in seconds. Arguments that are left out have the values that are
//! told with each. Every value is a finite number, also where mathematics has none.

use std::ops::RangeInclusive;

use super::formulas::{self, Formula};
use super::interval::Interval;
use super::random::Draw;

/// A function of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Function {
    /// The natural logarithm `ln(x)`; of 0 and less, that of 1e-300.
    Ln,
    /// The logarithm to base 2, as [`Function::Ln`].
    Log2,
    /// The logarithm to base 10, as [`Function::Ln`].
    Log10,
    /// `ln(1 + x)`, precise near 0; of -1 and less, that of the number next to -1.
    Log1p,
    /// `e^x`, at most 1e300.
    Exp,
    /// The square root; 0 of what is below 0.
    Sqrt,
    /// `pow(base, exponent)`; a base below 0 counts as 0.
    Pow,
    /// The magnitude `|x|`.
    Abs,
    /// -1, 0 or 1.
    Sign,
    /// The largest whole number that is not above `x`.
    Floor,
    /// The smallest of up to eight.
    Min,
    /// The largest of up to eight.
    Max,
    /// `clamp(x, lowest, highest)`: `x`, or the end that it is beyond; the highest where
    /// the ends cross.
    Clamp,
    /// `if_above(x, threshold, then, otherwise)`: one of the last two.
    IfAbove,
    /// `ratio(a, b, prior)` = (a + prior) / (b + prior): how much more `a` is than `b`,
    /// where little is known of both about 1. What is rising by two half-lives: the rate of
    /// the short one over that of the long one. `b` below 0 counts as 0; the prior is 1
    /// unless given, and positive.
    Ratio,
    /// `decay(age, half_life)` = 2^(-age / half_life), both in the same unit; 1 for ages
    /// below 0.
    Decay,
    /// `freshness(age, age_max)` = max(0, 1 - age / age_max), as the rank feature of that
    /// name in Vespa.
    Freshness,
    /// `gauss(distance, scale, offset, at_scale)`: 1 up to the offset (0), `at_scale` (0.5)
    /// one scale beyond it, and a bell between and behind, as the decay function of that
    /// name in Elasticsearch.
    Gauss,
    /// `reddit_hot(ups, downs, posted)` = sign(s) * log10(max(|s|, 1)) + (posted -
    /// 1134028003) / 45000 with s = ups - downs, rounded to seven decimals; `posted` in
    /// seconds since the Unix epoch. Reddit's published `_sorts.pyx`.
    RedditHot,
    /// `reddit_controversy(ups, downs)` = (ups + downs)^(min / max) of both; 0 unless there
    /// are both. Reddit's published `_sorts.pyx`.
    RedditControversy,
    /// `reddit_rising(ups, seen)` = ups / max(seen, 1); 0 for one vote and less.
    RedditRising,
    /// `hacker_news(points, age, gravity)` = (points - 1)^0.8 / ((minutes + 120) /
    /// 60)^gravity; the age in seconds, the gravity 1.8 unless given. For one point and
    /// less the numerator is points - 1. `news.arc`.
    HackerNews,
    /// `lemmy(score, age)` = log10(max(2, score + 2)) / (hours + 2)^1.8; the age in
    /// seconds; 0 unless it is between 0 and 168 hours. Lemmy's `utils.sql`.
    Lemmy,
    /// `lemmy_scaled(score, age, interactions)`: [`Function::Lemmy`] over log10(2 +
    /// interactions), those of the community in a month.
    LemmyScaled,
    /// `discourse(likes, age, recent_likes, recent_posters, since_first_bump)` = likes / (h
    /// + 2)^1.2 + (recent_likes + recent_posters - 1) / (b + 2)^1.2 with hours h and b;
    /// ages in seconds. Discourse's `TopicHotScore`.
    Discourse,
    /// `wilson(positive, total, z)`: the lower end of the Wilson interval of a share (E. B.
    /// Wilson, 1927): how good it is at least, by what is known. z is 1.281551565545 (80%)
    /// unless given; 0 for a total of 0.
    Wilson,
    /// `hidden_gem(positive, total, reach, known, z)` = wilson(positive, total, z) * known
    /// / (known + reach): good, and seen by few; one with a reach of `known` counts half. A
    /// formula of tidalDB's own.
    HiddenGem,
    /// `bayesian_mean(sum, count, prior_mean, prior_count)` = (prior_count * prior_mean +
    /// sum) / (prior_count + count): the mean as if it had begun with so many votes of the
    /// prior.
    BayesianMean,
    /// `smoothed_rate(clicks, impressions, prior_rate, weight)` = (weight + clicks) /
    /// (weight / prior_rate + impressions): the click-through rate as Metarank normalises
    /// it; the weight is 10 unless given.
    SmoothedRate,
    /// `mastodon(observed, expected)` = (observed - expected)^2 / expected; 0 below 5
    /// observed or below what was expected, which is at least 1. Mastodon's trends, of
    /// unique accounts; they fade by [`Function::Decay`] of 4 hours (tags), 8 (links), 1
    /// (posts).
    Mastodon,
    /// `z_score(x, mean, deviation)` = (x - mean) / deviation.
    ZScore,
    /// `poisson_score(observed, expected, epsilon)` = (observed - expected) / sqrt(expected
    /// + epsilon): how many standard deviations a count is above what was expected of it;
    /// epsilon is 1 unless given.
    PoissonScore,
    /// `thompson(successes, trials, alpha, beta)`: a draw of Beta(alpha + successes, beta +
    /// trials - successes), by the seed of the query; the priors are 1 unless given (W. R.
    /// Thompson, 1933). With decayed scores it is discounted Thompson sampling (Raj and
    /// Kalyani, 2017).
    Thompson,
    /// `ucb(successes, trials, all_trials, c)` = successes / trials + c *
    /// sqrt(ln(all_trials) / trials): UCB1 (Auer, Cesa-Bianchi and Fischer, 2002) with c =
    /// sqrt 2 unless given. What was never tried comes first.
    Ucb,
}

impl Function {
    /// Every function.
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
        Self::Ratio,
        Self::Decay,
        Self::Freshness,
        Self::Gauss,
        Self::RedditHot,
        Self::RedditControversy,
        Self::RedditRising,
        Self::HackerNews,
        Self::Lemmy,
        Self::LemmyScaled,
        Self::Discourse,
        Self::Wilson,
        Self::HiddenGem,
        Self::BayesianMean,
        Self::SmoothedRate,
        Self::Mastodon,
        Self::ZScore,
        Self::PoissonScore,
        Self::Thompson,
        Self::Ucb,
    ];

    /// The name in expressions.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.formula().name
    }

    /// The function of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|function| function.name() == name)
    }

    /// How many arguments it takes.
    #[must_use]
    pub const fn arity(self) -> RangeInclusive<usize> {
        self.formula().arity()
    }

    /// The value, which is finite whatever the arguments are.
    pub(crate) fn evaluate(self, arguments: &[f64], draw: &Draw) -> f64 {
        self.formula().value(arguments, draw)
    }

    /// What holds the values of all arguments in these intervals, whatever is drawn.
    pub(crate) fn bounds(self, arguments: &[Interval]) -> Interval {
        self.formula().bounds(arguments)
    }

    const fn formula(self) -> &'static Formula {
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
            Self::Ratio => &formulas::RATIO,
            Self::Decay => &formulas::DECAY,
            Self::Freshness => &formulas::FRESHNESS,
            Self::Gauss => &formulas::GAUSS,
            Self::RedditHot => &formulas::REDDIT_HOT,
            Self::RedditControversy => &formulas::REDDIT_CONTROVERSY,
            Self::RedditRising => &formulas::REDDIT_RISING,
            Self::HackerNews => &formulas::HACKER_NEWS,
            Self::Lemmy => &formulas::LEMMY,
            Self::LemmyScaled => &formulas::LEMMY_SCALED,
            Self::Discourse => &formulas::DISCOURSE,
            Self::Wilson => &formulas::WILSON,
            Self::HiddenGem => &formulas::HIDDEN_GEM,
            Self::BayesianMean => &formulas::BAYESIAN_MEAN,
            Self::SmoothedRate => &formulas::SMOOTHED_RATE,
            Self::Mastodon => &formulas::MASTODON,
            Self::ZScore => &formulas::Z_SCORE,
            Self::PoissonScore => &formulas::POISSON_SCORE,
            Self::Thompson => &formulas::THOMPSON,
            Self::Ucb => &formulas::UCB,
        }
    }
}
