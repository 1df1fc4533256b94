module rmq/load

go 1.21
