//! What the demos compute: the Fibonacci numbers with fib(0) = fib(1) = 1, as in the Go tutorial.
//!
//! The tutorial's function calls itself twice and runs on the page's only thread: a negative
//! number never ends and overflows the stack, a large one freezes the tab (WASM-1), and what is
//! no number counts as 0 (WASM-2). Here two numbers walk along the sequence, the largest answer
//! is the last that 128 bits hold, and everything else is answered with a sentence.
//!
//! Nothing here knows of a browser, so `cargo test` in `wasm/demos` tests it like any function.

/// fib(185) is the last below 2^128.
pub const N_MAX: u32 = 185;

/// The n-th number; `None` past [`N_MAX`].
///
/// ```
/// use demos::fib::fib;
///
/// assert_eq!([0, 1, 2, 5, 10, 20].map(fib), [1, 1, 2, 8, 89, 10946].map(Some));
/// assert_eq!(fib(186), None);
/// ```
#[must_use]
pub fn fib(n: u32) -> Option<u128> {
    let (mut this, mut next) = (1u128, 1u128);
    for _ in 1..n {
        (this, next) = (next, this.checked_add(next)?);
    }
    Some(next)
}

/// What a page shows for the text of its input: the number in digits, or why there is none.
///
/// # Errors
/// A sentence for the visitor.
pub fn answer(text: &str) -> Result<String, &'static str> {
    let text = text.trim_ascii();
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err("Please type a whole number, such as 10.");
    }
    if digits.len() < text.len() {
        return Err("The sequence begins at 0: there is nothing for a negative number.");
    }
    // `parse` fails for one reason only: more digits than a u32 holds.
    match text.parse().ok().and_then(fib) {
        Some(number) => Ok(number.to_string()),
        None => Err("That number has more than 128 bits; 185 is the largest n here."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_answered_and_all_else_is_told() {
        const CASES: &[(&str, &str)] = &[
            ("0", "1"),
            ("1", "1"),
            (" 5 ", "8"),
            ("010", "89"),
            ("20", "10946"),
            ("185", "332825110087067562321196029789634457848"),
            ("186", "That number has more than 128 bits; 185 is the largest n here."),
            (
                "99999999999999999999",
                "That number has more than 128 bits; 185 is the largest n here.",
            ),
            ("-1", "The sequence begins at 0: there is nothing for a negative number."),
            ("", "Please type a whole number, such as 10."),
            ("-", "Please type a whole number, such as 10."),
            ("+5", "Please type a whole number, such as 10."),
            ("3.5", "Please type a whole number, such as 10."),
            ("abc", "Please type a whole number, such as 10."),
            ("１０", "Please type a whole number, such as 10."),
        ];
        for &(text, want) in CASES {
            let got = answer(text);
            assert_eq!(got.unwrap_or_else(str::to_owned), want, "{text:?}");
        }
    }

    #[test]
    fn each_is_the_sum_of_the_two_before_and_the_last_is_named() {
        for n in 2..=N_MAX {
            assert_eq!(fib(n), Some(fib(n - 1).unwrap() + fib(n - 2).unwrap()));
        }
        assert_eq!((fib(N_MAX + 1), fib(u32::MAX)), (None, None));
    }

    /// Write `grouped`: digits in groups of three, as in `10 946`. Then use it in [`answer`].
    #[test]
    #[ignore = "exercise: write grouped"]
    fn exercise_digits_in_groups() {
        fn grouped(number: u128) -> String {
            number.to_string() // your code
        }
        assert_eq!([1, 987, 10946, 1_346_269].map(grouped), ["1", "987", "10 946", "1 346 269"]);
    }

    /// Write `place`: the n with fib(n) = number, if there is one. Then give the pages a second
    /// function beside `fibFunc`, and look at what is new in the glue.
    #[test]
    #[ignore = "exercise: write place"]
    fn exercise_where_it_stands() {
        fn place(number: u128) -> Option<u32> {
            let _ = number; // your code
            None
        }
        assert_eq!([1, 2, 89, 10946].map(place), [1, 2, 10, 20].map(Some));
        assert_eq!([0, 4, u128::MAX].map(place), [None; 3]);
    }
}
