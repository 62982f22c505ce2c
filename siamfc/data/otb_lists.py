"""Which sequences make up OTB-50, OTB-100 and OTB-2013, and the attributes that their authors gave them.

The lists are those of Wu, Lim, Yang, "Online Object Tracking: A Benchmark" (CVPR 2013) and "Object Tracking Benchmark"
(TPAMI 2015), compared name by name with the PyPI package got10k. OTB-50 and OTB-100 count Jogging and Skating2 twice,
once a target; OTB-2013 has 50 folders and 51 targets.

Attributes: OTB-100's as the VOT toolkit holds them (``vot/dataset/otb.py``), OTB-2013's as one of the authors does
(``MakeSequenceConfigVer10.m`` in jwlim/tracker_benchmark). The two differ in ten sequences, `CHANGED_SINCE_2013`.
"""

from __future__ import annotations

ATTRIBUTES = ("IV", "SV", "OCC", "DEF", "MB", "FM", "IPR", "OPR", "OV", "BC", "LR")

_OTB50 = """
Basketball Biker Bird1 BlurBody BlurCar2 BlurFace BlurOwl Bolt Box Car1 Car4 CarDark CarScale ClifBar
Couple Crowds David Deer Diving DragonBaby Dudek Football Freeman4 Girl Human3 Human4 Human6 Human9
Ironman Jump Jumping Liquor Matrix MotorRolling Panda RedTeam Shaking Singer2 Skating1 Skating2 Skiing
Soccer Surfer Sylvester Tiger2 Trellis Walking Walking2 Woman
"""

_OTB2013 = """
Basketball Bolt Boy Car4 CarDark CarScale Coke Couple Crossing David David2 David3 Deer Dog1 Doll Dudek
FaceOcc1 FaceOcc2 Fish FleetFace Football Football1 Freeman1 Freeman3 Freeman4 Girl Ironman Jogging
Jumping Lemming Liquor Matrix Mhyang MotorRolling MountainBike Shaking Singer1 Singer2 Skating1 Skiing
Soccer Subway Suv Sylvester Tiger1 Tiger2 Trellis Walking Walking2 Woman
"""

_OTB100 = """
Basketball IV OCC DEF OPR BC
Biker SV OCC MB FM OPR OV LR
Bird1 DEF FM OV
Bird2 OCC DEF FM IPR OPR
BlurBody SV DEF MB FM IPR
BlurCar1 MB FM
BlurCar2 SV MB FM
BlurCar3 MB FM
BlurCar4 MB FM
BlurFace MB FM IPR
BlurOwl SV MB FM IPR
Board SV MB FM OPR OV BC
Bolt OCC DEF IPR OPR
Bolt2 DEF BC
Box IV SV OCC MB IPR OPR OV BC LR
Boy SV MB FM IPR OPR
Car1 IV SV MB FM BC LR
Car2 IV SV MB FM BC
Car24 IV SV BC
Car4 IV SV
CarDark IV BC
CarScale SV OCC FM IPR OPR
ClifBar SV OCC MB FM IPR OV BC
Coke IV OCC FM IPR OPR BC
Couple SV DEF FM OPR BC
Coupon OCC BC
Crossing SV DEF FM OPR BC
Crowds IV DEF BC
Dancer SV DEF IPR OPR
Dancer2 DEF
David IV SV OCC DEF MB IPR OPR
David2 IPR OPR
David3 OCC DEF OPR BC
Deer MB FM IPR BC LR
Diving SV DEF IPR
Dog SV DEF OPR
Dog1 SV IPR OPR
Doll IV SV OCC IPR OPR
DragonBaby SV OCC MB FM IPR OPR OV
Dudek SV OCC DEF FM IPR OPR OV BC
FaceOcc1 OCC
FaceOcc2 IV OCC IPR OPR
Fish IV
FleetFace SV DEF MB FM IPR OPR
Football OCC IPR OPR BC
Football1 IPR OPR BC
Freeman1 SV IPR OPR
Freeman3 SV IPR OPR
Freeman4 SV OCC IPR OPR
Girl SV OCC IPR OPR
Girl2 SV OCC DEF MB OPR
Gym SV DEF IPR OPR
Human2 IV SV MB OPR
Human3 SV OCC DEF OPR BC
Human4 IV SV OCC DEF
Human5 SV OCC DEF
Human6 SV OCC DEF FM OPR OV
Human7 IV SV OCC DEF MB FM
Human8 IV SV DEF
Human9 IV SV DEF MB FM
Ironman IV SV OCC MB FM IPR OPR OV BC LR
Jogging OCC DEF OPR
Jump SV OCC DEF MB FM IPR OPR
Jumping MB FM
KiteSurf IV OCC IPR OPR
Lemming IV SV OCC FM OPR OV
Liquor IV SV OCC MB FM OPR OV BC
Man IV
Matrix IV SV OCC FM IPR OPR BC
Mhyang IV DEF OPR BC
MotorRolling IV SV MB FM IPR BC LR
MountainBike IPR OPR BC
Panda SV OCC DEF IPR OPR OV LR
RedTeam SV OCC IPR OPR LR
Rubik SV OCC IPR OPR
Shaking IV SV IPR OPR BC
Singer1 IV SV OCC OPR
Singer2 IV DEF IPR OPR BC
Skater SV DEF IPR OPR
Skater2 SV DEF FM IPR OPR
Skating1 IV SV OCC DEF OPR BC
Skating2 SV OCC DEF FM OPR
Skiing IV SV DEF IPR OPR
Soccer IV SV OCC MB FM IPR OPR BC
Subway OCC DEF BC
Surfer SV FM IPR OPR LR
Suv OCC IPR OV
Sylvester IV IPR OPR
Tiger1 IV OCC DEF MB FM IPR OPR
Tiger2 IV OCC DEF MB FM IPR OPR OV
Toy SV FM IPR OPR
Trans IV SV OCC DEF
Trellis IV SV IPR OPR BC
Twinnings SV OPR
Vase SV FM IPR
Walking SV OCC DEF
Walking2 SV OCC LR
Woman IV SV OCC DEF MB FM OPR
"""

OTB50 = tuple(_OTB50.split())
OTB2013 = tuple(_OTB2013.split())
OTB100_ATTRIBUTES = {line.split()[0]: tuple(line.split()[1:]) for line in _OTB100.strip().splitlines()}
OTB100 = tuple(OTB100_ATTRIBUTES)

# What OTB-2013 says otherwise: (added there, absent there).
CHANGED_SINCE_2013 = {
    "Coke": ((), ("BC",)),
    "Crossing": ((), ("FM", "OPR")),
    "Deer": ((), ("LR",)),
    "Freeman3": (("LR",), ()),
    "Freeman4": (("LR",), ()),
    "Ironman": ((), ("LR",)),
    "MotorRolling": ((), ("LR",)),
    "Skiing": (("LR",), ()),
    "Walking": (("LR",), ()),
    "Walking2": ((), ("LR",)),
}

SUBSETS = {"otb50": OTB50, "otb100": OTB100, "otb2013": OTB2013}


def attributes_of(sequence: str, subset: str | None) -> tuple[str, ...]:
    """The official attributes of a sequence (the folder's name), in their usual order; none for an unknown one.

    Example:
        >>> attributes_of("Coke", "otb100"), attributes_of("Coke", "otb2013")
        (('IV', 'OCC', 'FM', 'IPR', 'OPR', 'BC'), ('IV', 'OCC', 'FM', 'IPR', 'OPR'))
    """
    given = set(OTB100_ATTRIBUTES.get(sequence, ()))
    if subset == "otb2013":
        added, absent = CHANGED_SINCE_2013.get(sequence, ((), ()))
        given = given.union(added).difference(absent)
    return tuple(attribute for attribute in ATTRIBUTES if attribute in given)
