//! The functions that an expression may call.

use std::ops::RangeInclusive;

/// A function of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Function {
    /// `ln`
    Ln,
    /// `log2`
    Log2,
    /// `log10`
    Log10,
    /// `log1p`
    Log1p,
    /// `exp`
    Exp,
    /// `sqrt`
    Sqrt,
    /// `pow`
    Pow,
    /// `abs`
    Abs,
    /// `sign`
    Sign,
    /// `floor`
    Floor,
    /// `min`
    Min,
    /// `max`
    Max,
    /// `clamp`
    Clamp,
    /// `if_above`
    IfAbove,
    /// `ratio`
    Ratio,
    /// `decay`
    Decay,
    /// `freshness`
    Freshness,
    /// `gauss`
    Gauss,
    /// `reddit_hot`
    RedditHot,
    /// `reddit_controversy`
    RedditControversy,
    /// `reddit_rising`
    RedditRising,
    /// `hacker_news`
    HackerNews,
    /// `lemmy`
    Lemmy,
    /// `lemmy_scaled`
    LemmyScaled,
    /// `discourse`
    Discourse,
    /// `wilson`
    Wilson,
    /// `hidden_gem`
    HiddenGem,
    /// `bayesian_mean`
    BayesianMean,
    /// `smoothed_rate`
    SmoothedRate,
    /// `mastodon`
    Mastodon,
    /// `z_score`
    ZScore,
    /// `poisson_score`
    PoissonScore,
    /// `thompson`
    Thompson,
    /// `ucb`
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
        match self {
            Self::Ln => "ln",
            Self::Log2 => "log2",
            Self::Log10 => "log10",
            Self::Log1p => "log1p",
            Self::Exp => "exp",
            Self::Sqrt => "sqrt",
            Self::Pow => "pow",
            Self::Abs => "abs",
            Self::Sign => "sign",
            Self::Floor => "floor",
            Self::Min => "min",
            Self::Max => "max",
            Self::Clamp => "clamp",
            Self::IfAbove => "if_above",
            Self::Ratio => "ratio",
            Self::Decay => "decay",
            Self::Freshness => "freshness",
            Self::Gauss => "gauss",
            Self::RedditHot => "reddit_hot",
            Self::RedditControversy => "reddit_controversy",
            Self::RedditRising => "reddit_rising",
            Self::HackerNews => "hacker_news",
            Self::Lemmy => "lemmy",
            Self::LemmyScaled => "lemmy_scaled",
            Self::Discourse => "discourse",
            Self::Wilson => "wilson",
            Self::HiddenGem => "hidden_gem",
            Self::BayesianMean => "bayesian_mean",
            Self::SmoothedRate => "smoothed_rate",
            Self::Mastodon => "mastodon",
            Self::ZScore => "z_score",
            Self::PoissonScore => "poisson_score",
            Self::Thompson => "thompson",
            Self::Ucb => "ucb",
        }
    }

    /// The function of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|function| function.name() == name)
    }

    /// How many arguments it takes.
    #[must_use]
    pub const fn arity(self) -> RangeInclusive<usize> {
        match self {
            Self::Ln
            | Self::Log2
            | Self::Log10
            | Self::Log1p
            | Self::Exp
            | Self::Sqrt
            | Self::Abs
            | Self::Sign
            | Self::Floor => 1..=1,
            Self::Pow
            | Self::Decay
            | Self::Freshness
            | Self::RedditControversy
            | Self::RedditRising
            | Self::Lemmy
            | Self::Mastodon => 2..=2,
            Self::Min | Self::Max => 1..=8,
            Self::Clamp | Self::Ratio | Self::RedditHot | Self::LemmyScaled | Self::ZScore => 3..=3,
            Self::IfAbove | Self::BayesianMean => 4..=4,
            Self::Gauss | Self::Thompson => 2..=4,
            Self::HackerNews | Self::Wilson | Self::PoissonScore => 2..=3,
            Self::Discourse => 5..=5,
            Self::HiddenGem => 4..=5,
            Self::SmoothedRate | Self::Ucb => 3..=4,
        }
    }
}
