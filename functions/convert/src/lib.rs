//! Turns an uploaded video into an MP3
