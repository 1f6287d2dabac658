//! The calls of programs: `/api/v1`.

pub mod audit;
pub mod content;
pub mod crm;
pub mod distribution;
pub mod documents;
pub mod info;
pub mod intake;
pub mod json;
pub mod load_list;
pub mod loads;
pub mod session;
pub mod uploads;
