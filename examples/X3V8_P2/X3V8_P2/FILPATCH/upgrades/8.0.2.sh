#!/bin/sh
# Writes the folder's table of tax rates. Safe to repeat: the table is written to a temporary file and renamed.
set -eu
mkdir -p FIC
printf 'CODE;RATE\nDEFAULT;7.5\n' > FIC/TAXRATE.csv.tmp
mv FIC/TAXRATE.csv.tmp FIC/TAXRATE.csv
echo "$PATCHD_FOLDER: tax rates written ($PATCHD_FROM -> $PATCHD_TO)"
