//! `service`.

use std::fs::File;
use std::path::PathBuf;

use clap::Subcommand;

use super::supply::{self, SupplyArgs};
use super::{Failure, Result, open, open_existing};
use crate::commands::catalog::ImportServices;
use crate::commands::catalog_csv;
use crate::domain::Actor;
use crate::store::place::Place;
use crate::store::services;

#[derive(Subcommand)]
pub(super) enum ServiceCommand {
    /// Show all services
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Write all services as CSV
    Export,
    /// Add and change services from a CSV file: all of it or nothing
    Import { file: PathBuf },
    /// Set where a service is bought, and how its rate follows the cost
    Supply(SupplyArgs),
}

pub(super) fn run(db: &Place, command: ServiceCommand) -> Result {
    match command {
        ServiceCommand::List { json } => list(db, json),
        ServiceCommand::Export => {
            let services = open_existing(db)?.page(services::list)?;
            let csv = catalog_csv::write(&services);
            let csv = csv.map_err(|error| Failure::Csv("export".to_owned(), error))?;
            say!("{}", csv.trim_end())?;
            Ok(())
        }
        ServiceCommand::Supply(args) => supply::run(db, &args),
        ServiceCommand::Import { file } => {
            let name = file.display().to_string();
            let file = File::open(&file).map_err(|error| Failure::File(name.clone(), error))?;
            let drafts = catalog_csv::read(file).map_err(|error| Failure::Csv(name, error))?;
            let import = ImportServices { actor: Actor::CommandLine, drafts };
            let report = open(db)?.write_blocking(import)?;
            for changed in &report.changed {
                let (id, name) = (changed.service, &changed.name);
                say!("service {id} {name}: {}", changed.summary())?;
            }
            say!("{report}")?;
            Ok(())
        }
    }
}

fn list(db: &Place, json: bool) -> Result {
    for listed in open_existing(db)?.page(services::list)? {
        let (id, listing) = (listed.service.id, listed.service.listing);
        if json {
            let line = serde_json::json!({
                "id": id.0,
                "category": listed.category,
                "name": listing.name,
                "type": listing.kind.label(),
                "rate": listing.rate.to_string(),
                "min": listing.quantity_min,
                "max": listing.quantity_max,
                "enabled": listing.is_enabled,
                "provider": listed.provider,
            });
            say!("{line}")?;
            continue;
        }
        let state = if listing.is_enabled { "on" } else { "off" };
        let (name, kind, rate) = (&listing.name, listing.kind, listing.rate);
        let (min, max) = (listing.quantity_min, listing.quantity_max);
        say!("{id}\t{}\t{name}\t{kind}\t{rate}\t{min}-{max}\t{state}", listed.category)?;
    }
    Ok(())
}
