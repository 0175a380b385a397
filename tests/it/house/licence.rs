//! Licence expressions: `MIT OR Apache-2.0`, `(MIT OR Apache-2.0) AND Unicode-3.0`, the older `MIT/Apache-2.0`.

/// Whether a choice that the expression offers consists of allowed licences only.
pub(super) fn is_satisfied(expression: &str, allowed: &[String]) -> Result<bool, String> {
    let spaced = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut reader = Reader {
        words: &words,
        allowed,
    };
    let satisfied = reader.any_of()?;
    match reader.words.first() {
        None => Ok(satisfied),
        Some(word) => Err(format!("`{word}` is left over in `{expression}`")),
    }
}

struct Reader<'a> {
    words: &'a [&'a str],
    allowed: &'a [String],
}

impl Reader<'_> {
    fn eat(&mut self, word: &str) -> bool {
        let found = self.words.first() == Some(&word);
        if found {
            self.words = &self.words[1..];
        }
        found
    }

    fn any_of(&mut self) -> Result<bool, String> {
        let mut satisfied = self.all_of()?;
        while self.eat("OR") {
            satisfied |= self.all_of()?;
        }
        Ok(satisfied)
    }

    fn all_of(&mut self) -> Result<bool, String> {
        let mut satisfied = self.one()?;
        while self.eat("AND") {
            satisfied &= self.one()?;
        }
        Ok(satisfied)
    }

    fn one(&mut self) -> Result<bool, String> {
        if self.eat("(") {
            let satisfied = self.any_of()?;
            return if self.eat(")") {
                Ok(satisfied)
            } else {
                Err("a `)` is missing".to_owned())
            };
        }
        let Some((name, rest)) = self.words.split_first() else {
            return Err("a licence is missing".to_owned());
        };
        if matches!(*name, "OR" | "AND" | "WITH" | ")") {
            return Err(format!("`{name}` where a licence should be"));
        }
        self.words = rest;
        let mut name = (*name).to_owned();
        if self.eat("WITH") {
            let (exception, rest) = self.words.split_first().ok_or("an exception is missing")?;
            self.words = rest;
            name = format!("{name} WITH {exception}");
        }
        Ok(self.allowed.contains(&name))
    }
}

#[test]
fn an_expression_is_satisfied_by_one_of_its_choices() {
    let allowed = ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned);
    for (expression, satisfied) in [
        ("MIT", true),
        ("GPL-3.0-only", false),
        ("MIT OR GPL-3.0-only", true),
        ("MIT AND GPL-3.0-only", false),
        ("MIT/Apache-2.0", true),
        ("Apache-2.0 / GPL-2.0", false),
        ("(MIT OR Apache-2.0) AND ISC", true),
        ("ISC AND (Apache-2.0 OR GPL-3.0-only)", false),
        ("GPL-3.0-only OR MIT AND ISC", true),
        ("MIT AND ISC OR GPL-3.0-only", true),
        ("Apache-2.0", false),
        ("Apache-2.0 WITH LLVM-exception", true),
    ] {
        assert_eq!(
            is_satisfied(expression, &allowed),
            Ok(satisfied),
            "{expression}"
        );
    }
    for expression in ["", "MIT OR", "(MIT", "MIT ISC", "AND MIT"] {
        assert!(
            is_satisfied(expression, &allowed).is_err(),
            "`{expression}` was taken"
        );
    }
}
