"""Data models with the shape of real projects: names mean nothing, structure does."""

from tests_selftest.projects.shapes.agency import agency as agency
from tests_selftest.projects.shapes.cms import cms as cms
from tests_selftest.projects.shapes.help_centre import help_centre as help_centre
from tests_selftest.projects.shapes.parts import Shape as Shape
from tests_selftest.projects.shapes.shop import shop as shop
from tests_selftest.projects.shapes.shop import shop_in_production as shop_in_production
