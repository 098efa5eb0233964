#include "types.h"

#include <string.h>
#include <strings.h>

const char *types_of(const char *name)
{
    static const char *const rows[][2] = {
        {".html", "text/html; charset=utf-8"},
        {".htm", "text/html; charset=utf-8"},
        {".txt", "text/plain; charset=utf-8"},
        {".md", "text/markdown; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".csv", "text/csv; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".mjs", "text/javascript; charset=utf-8"},
        {".json", "application/json"},
        {".xml", "application/xml"},
        {".pdf", "application/pdf"},
        {".wasm", "application/wasm"},
        {".gz", "application/gzip"},
        {".zip", "application/zip"},
        {".pem", "application/x-pem-file"},
        {".crt", "application/x-x509-ca-cert"},
        {".crl", "application/pkix-crl"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".jpg", "image/jpeg"},
        {".jpeg", "image/jpeg"},
        {".gif", "image/gif"},
        {".webp", "image/webp"},
        {".ico", "image/x-icon"},
        {".mp3", "audio/mpeg"},
        {".mp4", "video/mp4"},
        {".woff2", "font/woff2"},
    };
    const char *dot = strrchr(name, '.');

    for (size_t i = 0; dot != NULL && i < sizeof(rows) / sizeof(rows[0]); i++)
        if (strcasecmp(dot, rows[i][0]) == 0)
            return rows[i][1];
    return "application/octet-stream";
}
