"""Sockets, HTTP requests, origins, cookies and addresses: everything between the network and the handlers."""
