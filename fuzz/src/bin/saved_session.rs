#![cfg_attr(fuzzing, no_main)]

synerise_auth_fuzz::fuzz!(saved_session);
