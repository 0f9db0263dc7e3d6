//! The hosts that an address names, each by itself, so that all can be asked at once: one that lets
//! everybody in and then says nothing would hold up a driver that asks them in turn.

use tokio_postgres::Config;
use tokio_postgres::config::Host;

/// One address for each host.
pub(super) fn each(config: &Config) -> Vec<Config> {
    let count = config.get_hosts().len().max(config.get_hostaddrs().len());
    if count < 2 {
        return vec![config.clone()];
    }
    (0..count).map(|at| only(config, at)).collect()
}

/// What an address with one host is called.
pub(super) fn name(config: &Config) -> String {
    let host = match (config.get_hosts().first(), config.get_hostaddrs().first()) {
        (Some(Host::Tcp(name)), _) => name.clone(),
        (Some(Host::Unix(folder)), _) => folder.display().to_string(),
        (None, address) => address.map_or_else(String::new, ToString::to_string),
    };
    config.get_ports().first().map_or_else(|| host.clone(), |port| format!("{host} port {port}"))
}

/// The address with only one of its hosts. The driver has no way to take one out.
fn only(config: &Config, at: usize) -> Config {
    let mut one = Config::new();
    match config.get_hosts().get(at) {
        Some(Host::Tcp(name)) => drop(one.host(name)),
        Some(Host::Unix(folder)) => drop(one.host_path(folder)),
        None => {}
    }
    let ports = config.get_ports();
    config.get_hostaddrs().get(at).map(|address| one.hostaddr(*address));
    ports.get(at).or(ports.first()).map(|port| one.port(*port));
    config.get_user().map(|user| one.user(user));
    config.get_password().map(|password| one.password(password));
    config.get_dbname().map(|name| one.dbname(name));
    config.get_options().map(|options| one.options(options));
    config.get_application_name().map(|name| one.application_name(name));
    config.get_connect_timeout().map(|most| one.connect_timeout(*most));
    config.get_tcp_user_timeout().map(|most| one.tcp_user_timeout(*most));
    config.get_keepalives_interval().map(|pause| one.keepalives_interval(pause));
    config.get_keepalives_retries().map(|most| one.keepalives_retries(most));
    one.keepalives(config.get_keepalives())
        .keepalives_idle(config.get_keepalives_idle())
        .ssl_mode(config.get_ssl_mode())
        .ssl_negotiation(config.get_ssl_negotiation())
        .target_session_attrs(config.get_target_session_attrs())
        .channel_binding(config.get_channel_binding())
        .load_balance_hosts(config.get_load_balance_hosts());
    one
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUERY: &str = "options=-c%20a%3Db&application_name=x&sslmode=require&\
        sslnegotiation=direct&connect_timeout=7&tcp_user_timeout=8&keepalives=0&keepalives_idle=9&\
        keepalives_interval=10&keepalives_retries=11&target_session_attrs=read-write&\
        channel_binding=require&load_balance_hosts=random";

    fn parse(hosts: &str) -> Config {
        format!("postgres://user:hush@{hosts}/panel?{QUERY}").parse().unwrap()
    }

    #[test]
    fn each_host_keeps_all_that_the_address_says() {
        let all = each(&parse("a:1,10.0.0.2:2,%2Frun%2Fpostgresql:3"));
        assert_eq!(all, [parse("a:1"), parse("10.0.0.2:2"), parse("%2Frun%2Fpostgresql:3")]);
        assert_eq!(each(&parse("a")), [parse("a")]);
        assert_eq!(all.iter().map(name).collect::<Vec<_>>()[..2], ["a port 1", "10.0.0.2 port 2"]);
        let numbers: Config = "host=a,b hostaddr=10.0.0.1,10.0.0.2 port=6432".parse().unwrap();
        let second: Config = "host=b hostaddr=10.0.0.2 port=6432".parse().unwrap();
        assert_eq!(each(&numbers)[1], second);
    }
}
