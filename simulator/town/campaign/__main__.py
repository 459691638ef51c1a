"""``python -m simulator.town.campaign``: what ``./run town`` runs."""

import typer

from simulator.town.campaign.cli import campaign

if __name__ == "__main__":
    typer.run(campaign)
