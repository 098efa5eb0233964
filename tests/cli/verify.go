// Verifies the cases of make_certs.c with crypto/x509: verify DIR
package main

import (
	"bufio"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func load(path string) ([]*x509.Certificate, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var all []*x509.Certificate
	for {
		var block *pem.Block
		block, text = pem.Decode(text)
		if block == nil {
			return all, nil
		}
		one, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
}

func verify(dir, anchor, chain, use, name string) error {
	roots, err := load(filepath.Join(dir, anchor+".pem"))
	if err != nil {
		return err
	}
	certs, err := load(filepath.Join(dir, chain+".pem"))
	if err != nil {
		return err
	}
	options := x509.VerifyOptions{
		Roots:         x509.NewCertPool(),
		Intermediates: x509.NewCertPool(),
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	options.Roots.AddCert(roots[0])
	for _, c := range certs[1:] {
		options.Intermediates.AddCert(c)
	}
	if name != "-" {
		options.DNSName = name
	}
	if use == "client" {
		options.KeyUsages[0] = x509.ExtKeyUsageClientAuth
	}
	_, err = certs[0].Verify(options)
	return err
}

func main() {
	dir := os.Args[1]
	file, err := os.Open(filepath.Join(dir, "cases"))
	if err != nil {
		fmt.Println(err)
		os.Exit(2)
	}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		f := strings.Fields(lines.Text())
		if strings.Contains(f[6], "go") {
			continue
		}
		err := verify(dir, f[1], f[2], f[3], f[4])
		if err == nil {
			fmt.Println(f[0], "good")
		} else {
			fmt.Println(f[0], "bad", err)
		}
	}
}
