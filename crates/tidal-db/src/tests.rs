//! Tests of the whole that need what is not public.

mod acceptance;
