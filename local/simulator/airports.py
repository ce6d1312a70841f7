"""Some sixty real airports, between which the generated traffic flies.

Positions are rounded to a thousandth of a degree and elevations to some feet: enough for traffic that looks right,
nothing to navigate by. The offset from UTC is the one of March, without regard to daylight saving.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Airport:
    """An airport: codes, position in degrees, elevation in feet, UTC offset as the API writes it (`+0800`)."""

    icao: str
    iata: str
    latitude: float
    longitude: float
    elevation: int
    utc_offset: str


AIRPORTS: tuple[Airport, ...] = (
    Airport("KATL", "ATL", 33.637, -84.428, 1026, "-0500"),
    Airport("KJFK", "JFK", 40.640, -73.779, 13, "-0500"),
    Airport("KEWR", "EWR", 40.693, -74.169, 18, "-0500"),
    Airport("KBOS", "BOS", 42.363, -71.006, 20, "-0500"),
    Airport("KMIA", "MIA", 25.793, -80.291, 8, "-0500"),
    Airport("KORD", "ORD", 41.978, -87.905, 672, "-0600"),
    Airport("KDFW", "DFW", 32.897, -97.038, 607, "-0600"),
    Airport("KIAH", "IAH", 29.984, -95.341, 97, "-0600"),
    Airport("KDEN", "DEN", 39.862, -104.673, 5434, "-0700"),
    Airport("KPHX", "PHX", 33.434, -112.012, 1135, "-0700"),
    Airport("KLAX", "LAX", 33.943, -118.408, 128, "-0800"),
    Airport("KSFO", "SFO", 37.619, -122.375, 13, "-0800"),
    Airport("KSEA", "SEA", 47.449, -122.309, 433, "-0800"),
    Airport("PHNL", "HNL", 21.319, -157.922, 13, "-1000"),
    Airport("PANC", "ANC", 61.174, -149.996, 152, "-0900"),
    Airport("CYYZ", "YYZ", 43.677, -79.631, 569, "-0500"),
    Airport("CYVR", "YVR", 49.194, -123.184, 14, "-0800"),
    Airport("CYUL", "YUL", 45.471, -73.741, 118, "-0500"),
    Airport("MMMX", "MEX", 19.436, -99.072, 7316, "-0600"),
    Airport("SBGR", "GRU", -23.432, -46.470, 2459, "-0300"),
    Airport("SAEZ", "EZE", -34.822, -58.536, 67, "-0300"),
    Airport("SCEL", "SCL", -33.393, -70.786, 1555, "-0300"),
    Airport("SKBO", "BOG", 4.702, -74.147, 8361, "-0500"),
    Airport("SPJC", "LIM", -12.022, -77.114, 113, "-0500"),
    Airport("EGLL", "LHR", 51.471, -0.462, 83, "+0000"),
    Airport("EGKK", "LGW", 51.148, -0.190, 202, "+0000"),
    Airport("EIDW", "DUB", 53.421, -6.270, 242, "+0000"),
    Airport("LFPG", "CDG", 49.013, 2.550, 392, "+0100"),
    Airport("EHAM", "AMS", 52.309, 4.764, -11, "+0100"),
    Airport("EDDF", "FRA", 50.033, 8.570, 364, "+0100"),
    Airport("EDDM", "MUC", 48.354, 11.786, 1487, "+0100"),
    Airport("LSZH", "ZRH", 47.464, 8.549, 1416, "+0100"),
    Airport("LEMD", "MAD", 40.472, -3.561, 1998, "+0100"),
    Airport("LEBL", "BCN", 41.297, 2.078, 14, "+0100"),
    Airport("LIRF", "FCO", 41.800, 12.239, 14, "+0100"),
    Airport("LPPT", "LIS", 38.774, -9.134, 374, "+0000"),
    Airport("EKCH", "CPH", 55.618, 12.656, 17, "+0100"),
    Airport("ESSA", "ARN", 59.652, 17.919, 137, "+0100"),
    Airport("ENGM", "OSL", 60.194, 11.100, 681, "+0100"),
    Airport("EFHK", "HEL", 60.317, 24.963, 179, "+0200"),
    Airport("LOWW", "VIE", 48.110, 16.570, 600, "+0100"),
    Airport("EPWA", "WAW", 52.166, 20.967, 362, "+0100"),
    Airport("LTFM", "IST", 41.275, 28.752, 325, "+0300"),
    Airport("OMDB", "DXB", 25.253, 55.364, 62, "+0400"),
    Airport("OTHH", "DOH", 25.273, 51.608, 13, "+0300"),
    Airport("OEJN", "JED", 21.680, 39.157, 48, "+0300"),
    Airport("HECA", "CAI", 30.122, 31.406, 382, "+0200"),
    Airport("HAAB", "ADD", 8.978, 38.799, 7630, "+0300"),
    Airport("HKJK", "NBO", -1.319, 36.928, 5330, "+0300"),
    Airport("FAOR", "JNB", -26.139, 28.246, 5558, "+0200"),
    Airport("DNMM", "LOS", 6.577, 3.321, 135, "+0100"),
    Airport("VIDP", "DEL", 28.567, 77.103, 777, "+0530"),
    Airport("VABB", "BOM", 19.089, 72.868, 39, "+0530"),
    Airport("VTBS", "BKK", 13.681, 100.747, 5, "+0700"),
    Airport("WSSS", "SIN", 1.350, 103.994, 22, "+0800"),
    Airport("WIII", "CGK", -6.126, 106.656, 34, "+0700"),
    Airport("VHHH", "HKG", 22.309, 113.915, 28, "+0800"),
    Airport("ZSPD", "PVG", 31.143, 121.805, 13, "+0800"),
    Airport("ZBAA", "PEK", 40.080, 116.585, 116, "+0800"),
    Airport("ZGGG", "CAN", 23.392, 113.299, 50, "+0800"),
    Airport("RCTP", "TPE", 25.077, 121.233, 106, "+0800"),
    Airport("RKSI", "ICN", 37.469, 126.451, 23, "+0900"),
    Airport("RJTT", "HND", 35.552, 139.780, 35, "+0900"),
    Airport("RJAA", "NRT", 35.765, 140.386, 141, "+0900"),
    Airport("YSSY", "SYD", -33.946, 151.177, 21, "+1000"),
    Airport("YMML", "MEL", -37.673, 144.843, 434, "+1000"),
    Airport("NZAA", "AKL", -37.008, 174.792, 23, "+1200"),
)
