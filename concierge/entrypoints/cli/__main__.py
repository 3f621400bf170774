from concierge.entrypoints.cli.main import main

main()
