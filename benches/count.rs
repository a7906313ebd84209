//! Serves a given number of turns and nothing else, for tools that count instructions:
//! `scripts/instructions` runs it twice under callgrind and takes the difference.

mod turn;

use mocker::settings::Settings;
use turn::{CHAT, Turn};

fn main() {
    let numbers: Vec<usize> = std::env::args()
        .filter_map(|arg| arg.parse().ok())
        .collect();
    let &[depth, turns] = &numbers[..] else {
        return println!("count DEPTH TURNS: see scripts/instructions");
    };
    let input = CHAT.repeat(depth).into_bytes();
    let mut turn = Turn::new(&Settings::default());
    let sent: usize = (0..turns).map(|_| turn.serve(&input)).sum();
    println!("{turns} turns of {depth}: {sent} bytes sent");
}
