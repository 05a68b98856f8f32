"""Shapes: one silhouette for each kind of thing the shop sells, as SVG on a 400 × 400 sheet.

Classes carry the material: `m` its colour, `d` darker, `l` lighter, `a` the collection's accent, `s` a stroke. Things
stand on y = 320; what hangs comes down from the top.
"""

SHAPES = {
    # lighting
    "table lamp": (
        '<path class="l" d="M140 90h120l34 96H106z"/><path class="m" d="M192 186h16v104h-16z"/>'
        '<path class="d" d="M140 290h120l10 30H130z"/>'
    ),
    "pendant": (
        '<path class="s" d="M200 0v120"/><path class="m" d="M120 220a80 84 0 0 1 160 0z"/>'
        '<path class="d" d="M186 108h28v32h-28z"/><circle class="a" cx="200" cy="226" r="22"/>'
    ),
    "floor lamp": (
        '<path class="l" d="M156 50h88l30 78H126z"/><path class="m" d="M195 128h10v178h-10z"/>'
        '<ellipse class="d" cx="200" cy="312" rx="62" ry="10"/>'
    ),
    "reading light": (
        '<path class="s" d="M150 306V176l92-62"/><path class="m" d="M222 96l66 22-40 66-46-40z"/>'
        '<ellipse class="d" cx="150" cy="310" rx="54" ry="12"/><circle class="a" cx="150" cy="176" r="9"/>'
    ),
    "wall light": (
        '<path class="d" d="M70 130h34v140H70z"/><path class="s" d="M104 200h70"/>'
        '<circle class="l" cx="234" cy="200" r="66"/><circle class="m" cx="234" cy="200" r="30"/>'
    ),
    "lantern": (
        '<path class="s" d="M150 110a50 56 0 0 1 100 0"/><path class="d" d="M136 110h128v24H136z"/>'
        '<path class="l" d="M144 134h112v150H144z"/><path class="a" d="M188 284v-64q12-34 24 0v64z"/>'
        '<path class="d" d="M130 284h140v36H130z"/>'
    ),
    # seating
    "dining chair": (
        '<path class="m" d="M140 70h14v250h-14zM246 70h14v250h-14z"/>'
        '<path class="d" d="M140 84h120v22H140zM140 128h120v16H140z"/><path class="l" d="M128 206h144v24H128z"/>'
    ),
    "stool": (
        '<path class="l" d="M124 176h152v28H124z"/>'
        '<path class="m" d="M142 204h18l-16 116h-18zM240 204h18l16 116h-18z"/>'
        '<path class="d" d="M134 268h132v10H134z"/>'
    ),
    "armchair": (
        '<path class="m" d="M110 120q0-30 30-30h120q30 0 30 30v120H110z"/>'
        '<path class="l" d="M126 206h148v50H126z"/><path class="d" d="M86 180h40v100H86zM274 180h40v100h-40z"/>'
        '<path class="a" d="M104 280h12v40h-12zM284 280h12v40h-12z"/>'
    ),
    "bench": (
        '<path class="l" d="M60 206h280v26H60z"/><path class="m" d="M84 232h20v88H84zM296 232h20v88h-20z"/>'
        '<path class="d" d="M104 280h192v12H104z"/>'
    ),
    "rocking chair": (
        '<path class="m" d="M136 70h14l6 220h-14zM240 190h14l10 100h-14z"/>'
        '<path class="l" d="M138 206h130v22H138z"/><path class="d" d="M138 84h100v14H144zM142 124h92v14h-88z"/>'
        '<path class="s" d="M96 290q104 48 212 0"/>'
    ),
    "footstool": (
        '<rect class="l" x="104" y="206" width="192" height="66" rx="26"/>'
        '<path class="d" d="M104 244h192v14H104z"/>'
        '<path class="m" d="M126 272h16l-8 48h-12zM258 272h16l4 48h-12z"/>'
    ),
    # ceramics
    "mug": (
        '<path class="s" d="M258 200q66 0 56 50t-62 40"/>'
        '<path class="m" d="M122 166h140v130q0 24-24 24h-92q-24 0-24-24z"/>'
        '<ellipse class="d" cx="192" cy="166" rx="70" ry="14"/><path class="l" d="M122 250h140v20H122z"/>'
    ),
    "vase": (
        '<path class="s" d="M200 116V40M200 80l38-36M198 96l-36-44"/>'
        '<path class="a" d="M238 30q22 10 0 30-20-16 0-30zM158 40q22 10 0 30-20-16 0-30z'
        'M200 22q20 12 0 32-20-18 0-32z"/>'
        '<path class="m" d="M176 116h48q-6 40 30 90t-16 114h-76q-52-64-16-114t30-90z"/>'
        '<ellipse class="d" cx="200" cy="116" rx="24" ry="7"/>'
    ),
    "serving bowl": (
        '<path class="m" d="M70 200h260q-10 104-96 112h-68q-86-8-96-112z"/>'
        '<ellipse class="d" cx="200" cy="200" rx="130" ry="22"/><path class="l" d="M164 312h72v8h-72z"/>'
    ),
    "teapot": (
        '<path class="s" d="M120 190q-62-10-50 40t70 40"/><path class="m" d="M270 250l62-72h22l-60 110z"/>'
        '<ellipse class="m" cx="200" cy="244" rx="100" ry="76"/>'
        '<path class="d" d="M140 176h120q-10-22-60-22t-60 22z"/><circle class="a" cx="200" cy="144" r="13"/>'
    ),
    "jug": (
        '<path class="s" d="M254 160q66 6 50 66t-60 44"/>'
        '<path class="m" d="M140 110l122-10-8 60 16 130q0 30-30 30h-80q-30 0-30-30l16-130z"/>'
        '<path class="l" d="M132 240h134l4 28H128z"/>'
    ),
    "dinner plate": (
        '<circle class="m" cx="200" cy="200" r="132"/><circle class="l" cx="200" cy="200" r="92"/>'
        '<circle class="m" cx="200" cy="200" r="86"/><path class="s" d="M132 150a86 86 0 0 1 70-38"/>'
    ),
    # textiles
    "throw": (
        '<path class="m" d="M90 96h220v190H90z"/><path class="l" d="M90 130h220v18H90zM90 210h220v18H90z"/>'
        '<path class="d" d="M136 96h14v190h-14zM246 96h14v190h-14z"/>'
        '<path class="s" d="M100 286v30M130 286v30M160 286v30M190 286v30M220 286v30M250 286v30M280 286v30'
        'M300 286v30"/>'
    ),
    "cushion": (
        '<path class="m" d="M96 110q104-24 208 0 22 90 0 200-104 22-208 0-22-110 0-200z"/>'
        '<path class="l" d="M200 150l62 60-62 60-62-60z"/><path class="d" d="M200 176l34 34-34 34-34-34z"/>'
    ),
    "rug": (
        '<path class="m" d="M60 110h280v200H60z"/><path class="l" d="M84 134h232v152H84z"/>'
        '<path class="d" d="M108 158h184v104H108z"/><path class="a" d="M200 166l74 44-74 44-74-44z"/>'
        '<path class="s" d="M50 120h10M50 160h10M50 210h10M50 260h10M50 300h10M340 120h10M340 160h10M340 210h10'
        'M340 260h10M340 300h10"/>'
    ),
    "tea towel": (
        '<path class="s" d="M70 90h260"/><path class="m" d="M130 90h140v220H130z"/>'
        '<path class="a" d="M130 236h140v12H130zM130 258h140v12H130z"/><path class="l" d="M150 90h10v146h-10z"/>'
    ),
    "bedspread": (
        '<path class="d" d="M60 120h280v40H60z"/><path class="m" d="M50 160q150-24 300 0v130q-150 40-300 0z"/>'
        '<path class="l" d="M50 200q150-24 300 0v20q-150-24-300 0z"/>'
        '<rect class="a" x="84" y="108" width="96" height="44" rx="18"/>'
        '<rect class="a" x="220" y="108" width="96" height="44" rx="18"/>'
    ),
    "curtain": (
        '<path class="s" d="M50 70h300"/><path class="m" d="M80 70h100q10 130-40 250H80z"/>'
        '<path class="m" d="M320 70H220q-10 130 40 250h60z"/>'
        '<path class="d" d="M104 70h16v250h-16zM280 70h16v250h-16z"/>'
        '<path class="l" d="M146 70h12q4 120-24 200z"/>'
    ),
    # plants
    "fern": (
        '<path class="g" d="M200 230Q120 60 70 130q80 10 130 100zM200 230q80-170 130-100-80 10-130 100z'
        'M200 230Q150 40 190 40t10 190zM200 230q-90-60-140 10 90-20 140-10zM200 230q90-60 140 10-90-20-140-10z"/>'
        '<path class="m" d="M142 226h116l-16 94h-84z"/><path class="d" d="M134 214h132v26H134z"/>'
    ),
    "rubber plant": (
        '<path class="s" d="M200 220V70"/>'
        '<path class="g" d="M200 110q-84-10-92-70 80-4 92 70zM200 90q70-10 76-64-66 0-76 64z'
        'M200 170q-90 0-104-56 86-8 104 56zM200 160q84-6 98-58-80-6-98 58z"/>'
        '<path class="m" d="M140 216h120l-12 104h-96z"/><path class="d" d="M140 216h120l-3 22H143z"/>'
    ),
    "snake plant": (
        '<path class="g" d="M180 230q-40-110-24-190 34 70 36 190zM206 230q-14-130 6-200 30 90 8 200z'
        'M226 230q0-90 40-150 14 80-22 150zM168 230q-50-60-56-120 50 40 70 120z"/>'
        '<path class="m" d="M136 220h128v70q0 30-30 30h-68q-30 0-30-30z"/>'
        '<path class="l" d="M136 252h128v14H136z"/>'
    ),
    "olive tree": (
        '<path class="s" d="M200 240V130M200 180l-40-50M200 170l40-44"/>'
        '<ellipse class="g" cx="200" cy="92" rx="92" ry="70"/><circle class="a" cx="164" cy="104" r="7"/>'
        '<circle class="a" cx="226" cy="80" r="7"/><circle class="a" cx="240" cy="122" r="7"/>'
        '<path class="m" d="M150 236h100l-12 84h-76z"/><path class="d" d="M144 228h112v20H144z"/>'
    ),
    "trailing ivy": (
        '<path class="s" d="M120 0v110M280 0v110"/>'
        '<path class="m" d="M112 110h176q0 80-60 96h-56q-60-16-60-96z"/>'
        '<path class="g" d="M130 116q-40 80-20 190 34-90 40-186zM190 116q-30 120 0 230 24-110 14-230z'
        'M256 116q40 80 26 170-40-80-46-166z"/>'
        '<path class="d" d="M108 100h184v20H108z"/>'
    ),
    "cactus": (
        '<path class="g" d="M176 230V90q0-28 24-28t24 28v140zM176 176h-40v-50q0-14 12-14t12 14v26h16z'
        'M224 196h42v-54q0-14-12-14t-12 14v30h-18z"/>'
        '<circle class="a" cx="200" cy="58" r="12"/><path class="m" d="M142 226h116l-16 94h-84z"/>'
        '<path class="d" d="M134 214h132v26H134z"/>'
    ),
    # kitchen
    "saucepan": (
        '<path class="d" d="M270 198h104v16H270z"/>'
        '<path class="m" d="M96 186h180v104q0 30-30 30H126q-30 0-30-30z"/>'
        '<path class="l" d="M90 176h192v16H90z"/><path class="d" d="M176 152h20v24h-20z"/>'
    ),
    "chopping board": (
        '<path class="m" d="M104 110q0-20 20-20h56V54q0-14 20-14t20 14v36h56q20 0 20 20v190q0 20-20 20H124q-20'
        ' 0-20-20z"/>'
        '<path class="l" d="M136 110h8v210h-8zM196 110h8v210h-8zM256 110h8v210h-8z"/>'
        '<circle class="d" cx="200" cy="60" r="8"/>'
    ),
    "kettle": (
        '<path class="s" d="M130 176q70-110 140 0"/><path class="m" d="M262 220l62-50 14 14-58 92z"/>'
        '<path class="m" d="M116 176h168l24 144H92z"/><path class="d" d="M116 176h168l4 22H112z"/>'
        '<circle class="a" cx="200" cy="164" r="12"/>'
    ),
    "pepper mill": (
        '<circle class="d" cx="200" cy="76" r="22"/><path class="m" d="M160 98h80l-14 60 14 36H160l14-36z"/>'
        '<path class="l" d="M156 194h88v12h-88z"/><path class="m" d="M160 206h80l16 114H144z"/>'
    ),
    "skillet": (
        '<circle class="m" cx="170" cy="200" r="112"/><circle class="d" cx="170" cy="200" r="92"/>'
        '<path class="m" d="M272 186h104q16 14 0 28H272z"/><circle class="l" cx="356" cy="200" r="7"/>'
    ),
    "canister": (
        '<rect class="m" x="120" y="130" width="160" height="190" rx="16"/>'
        '<path class="d" d="M112 106h176v34H112z"/>'
        '<rect class="l" x="150" y="196" width="100" height="54" rx="6"/>'
        '<circle class="a" cx="200" cy="98" r="12"/>'
    ),
    # desk
    "notebook": (
        '<rect class="m" x="110" y="70" width="180" height="250" rx="10"/>'
        '<path class="d" d="M110 80q0-10 10-10h16v250h-16q-10 0-10-10z"/>'
        '<rect class="l" x="166" y="120" width="96" height="46" rx="4"/><path class="a" d="M256 70h12v250h-12z"/>'
    ),
    "pencil pot": (
        '<path class="a" d="M160 70h16v120h-16zM190 46h16v140h-16z"/>'
        '<path class="l" d="M222 82h16v110h-16zM168 48l8 22h-16z"/><path class="m" d="M136 170h128v150H136z"/>'
        '<path class="d" d="M136 170h128v18H136z"/>'
    ),
    "letter tray": (
        '<path class="d" d="M70 180h260v16H70zM70 280h260v16H70z"/>'
        '<path class="m" d="M70 150h16v170H70zM314 150h16v170h-16z"/>'
        '<path class="l" d="M100 164h190v16H100zM110 262h170v18H110z"/>'
    ),
    "desk pad": (
        '<path class="m" d="M70 130h260l30 170H40z"/><path class="l" d="M120 150h120l-4 60H108z"/>'
        '<path class="s" d="M262 160l44 100"/><path class="d" d="M40 300h320v10H40z"/>'
    ),
    "bookend": (
        '<path class="a" d="M150 110h34v196h-34z"/><path class="l" d="M190 90h26v216h-26z"/>'
        '<path class="d" d="M222 130h30v176h-30z"/>'
        '<path class="m" d="M258 140q70 20 70 166h-70zM60 306h280v14H60z"/>'
    ),
    "pinboard": (
        '<rect class="d" x="60" y="70" width="280" height="220" rx="6"/><path class="m" d="M76 86h248v188H76z"/>'
        '<path class="l" d="M104 110h80v64h-80zM214 150h82v90h-82z"/><circle class="a" cx="144" cy="112" r="7"/>'
        '<circle class="a" cx="256" cy="152" r="7"/>'
    ),
    # clocks
    "wall clock": (
        '<circle class="m" cx="200" cy="194" r="124"/><circle class="l" cx="200" cy="194" r="104"/>'
        '<path class="s" d="M200 194v-70M200 194l46 30"/><circle class="a" cx="200" cy="194" r="9"/>'
    ),
    "alarm clock": (
        '<path class="d" d="M132 290l-24 30h22l24-24zM268 290l24 30h-22l-24-24z"/>'
        '<circle class="d" cx="140" cy="108" r="34"/><circle class="d" cx="260" cy="108" r="34"/>'
        '<circle class="m" cx="200" cy="208" r="104"/><circle class="l" cx="200" cy="208" r="82"/>'
        '<path class="s" d="M200 208v-54M200 208h38"/><circle class="a" cx="200" cy="208" r="8"/>'
    ),
    "mantel clock": (
        '<path class="m" d="M104 320V180q0-96 96-96t96 96v140z"/><circle class="l" cx="200" cy="186" r="66"/>'
        '<path class="s" d="M200 186v-44M200 186l30 20"/><path class="d" d="M84 300h232v20H84z"/>'
    ),
    "kitchen timer": (
        '<path class="m" d="M100 320q0-150 100-150t100 150z"/><path class="d" d="M176 140h48v36h-48z"/>'
        '<circle class="l" cx="200" cy="256" r="44"/><path class="s" d="M200 256l22-26"/>'
    ),
    "station clock": (
        '<path class="d" d="M180 0h40v70h-40z"/><circle class="d" cx="200" cy="190" r="128"/>'
        '<circle class="l" cx="200" cy="190" r="112"/><path class="s" d="M200 190v-84M200 190l-52 34"/>'
        '<circle class="a" cx="200" cy="190" r="12"/>'
    ),
    "travel clock": (
        '<rect class="m" x="96" y="130" width="208" height="190" rx="22"/>'
        '<circle class="l" cx="200" cy="226" r="68"/><path class="s" d="M200 226v-44M200 226l-30-18"/>'
        '<path class="d" d="M176 112h48v18h-48z"/>'
    ),
    # storage
    "basket": (
        '<path class="s" d="M124 180q76-120 152 0"/><path class="m" d="M92 180h216l-24 140H116z"/>'
        '<path class="d" d="M92 180h216l-4 20H96zM104 240h192l-4 18H108z"/>'
        '<path class="l" d="M150 200h10v120h-10zM240 200h10v120h-10z"/>'
    ),
    "crate": (
        '<path class="m" d="M80 180h240v40H80zM80 230h240v40H80zM80 280h240v40H80z"/>'
        '<path class="d" d="M80 180h24v140H80zM296 180h24v140h-24z"/>'
    ),
    "shelf": (
        '<path class="m" d="M90 60h18v260H90zM292 60h18v260h-18z"/>'
        '<path class="d" d="M90 110h220v14H90zM90 200h220v14H90zM90 290h220v14H90z"/>'
        '<path class="a" d="M124 70h20v40h-20zM150 60h16v50h-16zM230 160h40v40h-40z"/>'
        '<path class="l" d="M124 240h80v50h-80z"/>'
    ),
    "hook rail": (
        '<rect class="m" x="50" y="120" width="300" height="44" rx="8"/>'
        '<path class="s" d="M100 164v40q0 24 24 24M200 164v40q0 24 24 24M300 164v40q0 24 24 24"/>'
        '<path class="a" d="M208 200h60v110h-60z"/>'
    ),
    "trunk": (
        '<path class="m" d="M70 190h260v130H70z"/><path class="l" d="M70 190q0-66 66-66h128q66 0 66 66z"/>'
        '<path class="d" d="M110 126h20v194h-20zM270 126h20v194h-20z"/><path class="a" d="M184 180h32v36h-32z"/>'
    ),
    "shoe rack": (
        '<path class="m" d="M80 130h16v190H80zM304 130h16v190h-16z"/>'
        '<path class="d" d="M80 200h240v10H80zM80 286h240v10H80z"/>'
        '<path class="a" d="M116 200q0-34 26-34l14 18 44 10v6zM200 286q0-34 26-34l14 18 44 10v6z"/>'
    ),
    # candles
    "pillar candle": (
        '<path class="f" d="M200 60q26 36 0 58-26-22 0-58z"/><path class="s" d="M200 118v16"/>'
        '<rect class="l" x="144" y="134" width="112" height="186" rx="8"/>'
        '<path class="m" d="M144 150q30 40 50 0t62 6v156q0 8-8 8h-96q-8 0-8-8z"/>'
    ),
    "scented candle": (
        '<path class="f" d="M200 84q22 32 0 52-22-20 0-52z"/>'
        '<rect class="l" x="122" y="150" width="156" height="170" rx="14"/>'
        '<path class="m" d="M122 190h156v116q0 14-14 14H136q-14 0-14-14z"/>'
        '<rect class="a" x="160" y="222" width="80" height="56" rx="4"/>'
    ),
    "candlestick": (
        '<path class="f" d="M200 24q18 28 0 44-18-16 0-44z"/><path class="l" d="M186 68h28v108h-28z"/>'
        '<path class="m" d="M168 176h64l-16 24h-32zM192 200h16v90h-16z"/>'
        '<path class="d" d="M144 290h112l16 30H128z"/>'
    ),
    "tealight set": (
        '<path class="f" d="M110 190q16 24 0 40-16-16 0-40zM200 160q16 24 0 40-16-16 0-40z'
        'M290 190q16 24 0 40-16-16 0-40z"/>'
        '<path class="m" d="M70 250h80v60H70zM160 220h80v90h-80zM250 250h80v60h-80z"/>'
        '<path class="d" d="M70 236h80v16H70zM160 206h80v16h-80zM250 236h80v16h-80z"/>'
    ),
    "candle bowl": (
        '<path class="f" d="M150 110q18 28 0 46-18-18 0-46zM250 110q18 28 0 46-18-18 0-46z'
        'M200 96q18 28 0 46-18-18 0-46z"/>'
        '<path class="m" d="M80 190h240q-10 130-120 130T80 190z"/>'
        '<ellipse class="l" cx="200" cy="190" rx="120" ry="26"/>'
    ),
    "snuffer": (
        '<path class="s" d="M90 110l170 130"/><path class="m" d="M236 226l50-20 34 84-74 22z"/>'
        '<circle class="d" cx="86" cy="106" r="16"/><path class="l" d="M252 296l70-22 4 14-70 24z"/>'
    ),
}
